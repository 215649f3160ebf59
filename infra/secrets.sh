#!/bin/sh
# Makes the secrets of a house: sh infra/secrets.sh FOLDER [DATABASE_HOST [NATS_HOST…]]
# What is there already stays. Give the folder to nobody but the house; commit none of it.
#
#   nats/<user>.conf            for nats-server (users.conf includes it as secrets/<user>.conf)
#   nats/cluster.conf           the same for cluster.conf: who may join, and the routes
#   <service>/nats-password     for <SERVICE>_NATS_PASSWORD_FILE
#   <service>/database-url      for <SERVICE>_DATABASE_URL_FILE
#   postgres-password           the database server's own superuser
#   passwords.sql               gives each service's database user its password
#   notify/link-secret          for NOTIFY_LINK_SECRET_FILE
set -eu
folder=${1:?usage: sh infra/secrets.sh FOLDER [DATABASE_HOST [NATS_HOST...]]}
host=${2:-postgres}
shift; [ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- nats-1:6222 nats-2:6222 nats-3:6222
# Nobody else enters the folder; what is in it can be read inside a container it is mounted into.
umask 022
mkdir -p "$folder/nats"
chmod 700 "$folder"

fresh() { # FILE: the secret kept there, made at the first call
  [ -s "$1" ] || head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1"
  cat "$1"
}

for service in intake router clock escalation notify insight; do
  mkdir -p "$folder/$service"
  printf 'password: "%s"\n' "$(fresh "$folder/$service/nats-password")" >"$folder/nats/$service.conf"
  password=$(fresh "$folder/$service/database-password")
  printf 'postgresql+asyncpg://%s:%s@%s/%s' "$service" "$password" "$host" "$service" \
    >"$folder/$service/database-url"
  printf "ALTER ROLE %s PASSWORD '%s';\n" "$service" "$password"
done >"$folder/passwords.sql"
for user in operator system; do
  mkdir -p "$folder/$user"
  printf 'password: "%s"\n' "$(fresh "$folder/$user/nats-password")" >"$folder/nats/$user.conf"
done
mkdir -p "$folder/cluster"
password=$(fresh "$folder/cluster/nats-password")
{
  printf 'authorization { user: cluster, password: "%s" }\nroutes: [\n' "$password"
  for route; do printf '  "nats://cluster:%s@%s"\n' "$password" "$route"; done
  printf ']\n'
} >"$folder/nats/cluster.conf"
fresh "$folder/postgres-password" >/dev/null
fresh "$folder/notify/link-secret" >/dev/null
echo "secrets are in $folder"
