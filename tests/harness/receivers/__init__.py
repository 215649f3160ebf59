"""Local servers that enforce the true rules of the providers our messages go to.

They share no code with the channels they check, and each is itself checked against known answers
in tests/contract/test_channels_receivers.py.
"""

from tests.harness.receivers.dingtalk import DingTalkReceiver
from tests.harness.receivers.faults import Answer, Code, Drop, Hold, Stall
from tests.harness.receivers.feishu import FeishuReceiver
from tests.harness.receivers.smtp import ReceivedMail, SmtpFault, SmtpReceiver
from tests.harness.receivers.webhook import SECRET, WebhookReceiver
from tests.harness.receivers.wecom import WeComReceiver

__all__ = [
    "SECRET",
    "Answer",
    "Code",
    "DingTalkReceiver",
    "Drop",
    "FeishuReceiver",
    "Hold",
    "ReceivedMail",
    "SmtpFault",
    "SmtpReceiver",
    "Stall",
    "WeComReceiver",
    "WebhookReceiver",
]
