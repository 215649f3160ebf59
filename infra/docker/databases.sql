-- One database per service; no service reads another's.
CREATE DATABASE intake;
CREATE DATABASE router;
CREATE DATABASE clock;
CREATE DATABASE escalation;
CREATE DATABASE notify;
CREATE DATABASE insight;
