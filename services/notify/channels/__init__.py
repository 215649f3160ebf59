"""The ways in which messages leave the house. Each channel keeps one provider's rules.

Start with `port`: what a channel takes and returns. `limits` says how fast a robot may be used.
"""

from services.notify.channels.dingtalk import DingTalkRobot
from services.notify.channels.feishu import FeishuRobot
from services.notify.channels.limits import LIMITS, Bucket, Limit
from services.notify.channels.mail import MailSender, delivery_of_bounce, message_id
from services.notify.channels.port import Channel, Fault, Kind, Outcome, Outgoing
from services.notify.channels.smtp import MailServer, SmtpChannel
from services.notify.channels.webhook import Webhook
from services.notify.channels.wecom import WeComRobot

__all__ = [
    "LIMITS",
    "Bucket",
    "Channel",
    "DingTalkRobot",
    "Fault",
    "FeishuRobot",
    "Kind",
    "Limit",
    "MailSender",
    "MailServer",
    "Outcome",
    "Outgoing",
    "SmtpChannel",
    "WeComRobot",
    "Webhook",
    "delivery_of_bounce",
    "message_id",
]
