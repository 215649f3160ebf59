-- One database and one user per service; no service reaches another's. Passwords: passwords.sql
-- of infra/secrets.sh. Run as superuser on an empty server.
CREATE ROLE intake LOGIN;
CREATE DATABASE intake OWNER intake ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE intake FROM PUBLIC;
CREATE ROLE router LOGIN;
CREATE DATABASE router OWNER router ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE router FROM PUBLIC;
CREATE ROLE clock LOGIN;
CREATE DATABASE clock OWNER clock ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE clock FROM PUBLIC;
CREATE ROLE escalation LOGIN;
CREATE DATABASE escalation OWNER escalation ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE escalation FROM PUBLIC;
CREATE ROLE notify LOGIN;
CREATE DATABASE notify OWNER notify ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE notify FROM PUBLIC;
CREATE ROLE insight LOGIN;
CREATE DATABASE insight OWNER insight ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE insight FROM PUBLIC;
