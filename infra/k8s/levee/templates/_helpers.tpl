{{- define "levee.name" -}}
{{ printf "%s-%s" .root.Release.Name .name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "levee.selector" -}}
app.kubernetes.io/name: levee
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "levee.tag" -}}
{{ .service.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "levee.labels" -}}
{{ include "levee.selector" . }}
app.kubernetes.io/part-of: levee
app.kubernetes.io/version: {{ include "levee.tag" . | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "levee.image" -}}
{{- $image := .root.Values.image -}}
{{ with $image.registry }}{{ . }}/{{ end }}{{ $image.prefix }}{{ .name }}:{{ include "levee.tag" . }}
{{- end }}

{{/* What a service is told: its secrets as files, its place in the house, then what values say. */}}
{{- define "levee.env" -}}
{{- $prefix := upper .name -}}
- {name: {{ $prefix }}_DATABASE_URL_FILE, value: /run/levee/database-url}
- {name: {{ $prefix }}_NATS_PASSWORD_FILE, value: /run/levee/nats-password}
{{- range $key, $setting := .service.secretSettings }}
- {name: {{ $prefix }}_{{ $setting }}_FILE, value: /run/levee/{{ $key }}}
{{- end }}
- {name: {{ $prefix }}_NATS_USER, value: {{ .name }}}
- {name: {{ $prefix }}_NATS_URL, value: {{ join "," .root.Values.nats.urls | quote }}}
- {name: {{ $prefix }}_NATS_REPLICAS, value: {{ .root.Values.nats.replicas | quote }}}
{{- if .root.Values.nats.caSecret }}
- {name: {{ $prefix }}_NATS_CA, value: /run/levee-ca/ca.pem}
{{- end }}
- {name: {{ $prefix }}_KEYS_FILE, value: /run/levee-keys/keys.json}
- {name: {{ $prefix }}_HOST, value: 0.0.0.0}
- {name: {{ $prefix }}_PORT, value: "8080"}
- name: {{ $prefix }}_REPLICA
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- if and (eq .name "notify") .root.Values.ingress.enabled (not (hasKey (.service.env | default dict) "PUBLIC_URL")) }}
- {name: NOTIFY_PUBLIC_URL, value: "{{ ternary "https" "http" (ne .root.Values.ingress.tlsSecret "") }}://{{ .root.Values.ingress.host }}"}
{{- end }}
{{- range $key, $value := merge (dict) (.service.env | default dict) .root.Values.defaults.env }}
- {name: {{ $prefix }}_{{ $key }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "levee.mounts" -}}
- {name: secrets, mountPath: /run/levee, readOnly: true}
- {name: keys, mountPath: /run/levee-keys, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .root.Values.nats.caSecret }}
- {name: ca, mountPath: /run/levee-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "levee.volumes" -}}
- name: secrets
  secret: {secretName: {{ .service.secret }}, defaultMode: 288}
- name: keys
  secret: {secretName: {{ .root.Values.keysSecret }}, defaultMode: 288}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- with .root.Values.nats.caSecret }}
- name: ca
  secret: {secretName: {{ . }}, defaultMode: 288}
{{- end }}
{{- end }}

{{- define "levee.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "levee.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* How many replicas a service may have. */}}
{{- define "levee.replicas" -}}
{{ .service.replicas | default .root.Values.defaults.replicas }}
{{- end }}
