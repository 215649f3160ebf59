"""The words of pages: labels, times and durations, zh-CN first, English beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.insight.domain.definitions import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

#: Codes -> (zh, en). A code that is not here is shown as it is: codes are open.
LABELS: dict[str, tuple[str, str]] = {
    # metrics
    "first_response": ("首次响应", "First response"),
    "assignment": ("分配", "Assignment"),
    "handling": ("处理", "Handling"),
    "resolution": ("整体解决", "Resolution"),
    "next_response": ("后续响应", "Next response"),
    "escalation_response": ("升级响应", "Escalation response"),
    # states
    "submitted": ("已提交", "Submitted"),
    "open": ("处理中", "Open"),
    "waiting": ("等待中", "Waiting"),
    "resolved": ("已解决", "Resolved"),
    "closed": ("已关闭", "Closed"),
    "cancelled": ("已取消", "Cancelled"),
    "running": ("计时中", "Running"),
    "paused": ("暂停", "Paused"),
    "met": ("按时满足", "Met in time"),
    "met_late": ("逾期满足", "Met late"),
    "breached": ("已违约", "Breached"),
    "raised": ("待响应", "Unanswered"),
    "acknowledged": ("已认领", "Acknowledged"),
    "exhausted": ("无人响应", "Nobody answered"),
    # lanes
    "standard": ("标准路径", "Standard path"),
    "green": ("绿色通道", "Green channel"),
    "exception": ("例外审批", "Exception approval"),
    "approved": ("批准", "approved"),
    "rejected": ("否决", "rejected"),
    "review": ("复盘", "the review"),
    "corrected": ("内容更正后按表格判定", "decided by the table after a correction"),
    "process": ("流程结束", "the process ended"),
    # triggers
    "warned": ("预警", "Warning"),
    "requested": ("人工请求", "Requested"),
    "not_routed": ("未分流", "Not routed"),
    # outcomes
    "accepted": ("已受理", "Accepted"),
    "sent": ("已发出", "Sent"),
    "delivered": ("已送达", "Delivered"),
    "failed": ("失败", "Failed"),
    "suppressed": ("有意不发", "Suppressed"),
    "set_aside": ("已搁置", "Set aside"),
    # reasons
    "requester": ("请求人", "the requester"),
    "supplier": ("供应商", "a supplier"),
    "problem": ("关联问题", "a related problem"),
    "evidence": ("证据", "evidence"),
    "third_party": ("第三方", "a third party"),
    "solved": ("已解决", "solved"),
    "not_solved": ("未解决", "not solved"),
    "confirmed": ("请求人确认", "confirmed by the requester"),
    "time": ("到期自动", "by time"),
    "agent": ("经办人", "agent"),
    "system": ("系统", "system"),
    "withdrawn": ("请求人撤回", "withdrawn"),
    "handed_over": ("转手", "handed over"),
    "unassigned": ("无人负责", "nobody owns it"),
    "returned": ("退回", "returned"),
    "unclaimed": ("放回", "put back"),
    "delegated": ("转交团队", "delegated to the team"),
    "priority_changed": ("优先级变化", "priority changed"),
    "version_moved": ("改用新版本", "moved to a new version"),
    "coverage_extended": ("节假日安排已公布", "holidays were published"),
    "taken_back": ("重新计算后并未到时限", "its time is not up after all"),
    "late_fact": ("补录的事实", "a fact recorded late"),
    "no_clock": ("表格规定不计时", "the table says no clock"),
    # lights
    "light_red": ("红", "Red"),
    "light_yellow": ("黄", "Yellow"),
    "light_green": ("绿", "Green"),
    "p1_overdue": ("P1 逾期", "a P1 is overdue"),
    "nobody_answered": ("升级无人响应", "nobody answered an escalation"),
    "many_overdue": ("逾期超过 10%", "more than 10 % overdue"),
    "some_overdue": ("有逾期", "something is overdue"),
    "unanswered": ("有升级待响应", "an escalation is unanswered"),
    "due_soon": ("有即将到期", "something is due soon"),
    "in_time": ("正常", "in time"),
    # windows
    "today": ("今天", "Today"),
    "7d": ("7 天", "7 days"),
    "30d": ("30 天", "30 days"),
    "all": ("全部", "All"),
    # how a target was chosen
    "only_row": ("唯一匹配的规则", "the only row that matched"),
    "strictest": ("多条匹配，取最严", "the strictest of several rows"),
    "fallback": ("无匹配，用兜底上限", "no row matched: the fallback ceiling"),
    "high": ("高", "high"),
    "medium": ("中", "medium"),
    "low": ("低", "low"),
    "email": ("邮件", "e-mail"),
    "phone": ("电话", "phone"),
    "portal": ("门户", "portal"),
    "webhook": ("Webhook", "webhook"),
    "wecom": ("企业微信", "WeCom"),
    "dingtalk": ("钉钉", "DingTalk"),
    "feishu": ("飞书", "Feishu"),
    "wecom_robot": ("企业微信机器人", "WeCom robot"),
    "dingtalk_robot": ("钉钉机器人", "DingTalk robot"),
    "feishu_robot": ("飞书机器人", "Feishu robot"),
    "none": ("无渠道", "no channel"),
    # what became of a notification, or why it went no further
    "acknowledge": ("认领", "acknowledge"),
    "released": ("已退回", "given back"),
    "routed": ("已分流", "routed"),
    "met_in_time": ("已按时完成", "met in time"),
    "clock_cancelled": ("计时已取消", "the clock was cancelled"),
    "expired": ("已过时", "no longer of use"),
    "no_address": ("没有可用地址", "no address"),
    "unknown_recipient": ("没有这个收件人", "no such recipient"),
    "endpoint_disabled": ("接收端已停用", "the endpoint is disabled"),
    "unknown_template": ("没有这个模板", "no such template"),
    "email_not_configured": ("未配置邮件服务器", "no mail server is configured"),
    "wecom_robot_not_configured": ("未配置企业微信机器人", "WeCom robots are not configured"),
    "dingtalk_robot_not_configured": ("未配置钉钉机器人", "DingTalk robots are not configured"),
    "feishu_robot_not_configured": ("未配置飞书机器人", "Feishu robots are not configured"),
    "webhook_not_configured": ("未配置 Webhook", "webhooks are not configured"),
    "address_changed": ("地址已变更", "the address changed"),
    "no_answer": ("对方没有应答", "no answer came"),
    "not_reached": ("未能连接对方", "the far end was not reached"),
    "address_invalid": ("地址无效", "the address is invalid"),
    "payload_too_large": ("内容过长", "the content is too long"),
    "payload_not_json": ("内容无法写成 JSON", "the content cannot be written as JSON"),
    "secret_unusable": ("密钥不可用", "the secret cannot be used"),
    "no_outcome": ("多次发送均不知结果", "sent several times, never with an outcome"),
    "channel_failed": ("渠道内部出错", "the channel itself failed"),
    "cooling_down": ("服务商要求暂停", "the provider asked for a pause"),
    "retry": ("等待重试", "waits for another attempt"),
    "limit": ("等待发送配额", "waits for the provider's limit"),
}


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one viewer's language, in the viewer's zone, with the names of this house."""

    language: str
    zone: ZoneInfo
    #: (kind, key) -> (zh, en)
    names: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    @property
    def is_zh(self) -> bool:
        """Whether the words are Chinese."""
        return self.language.startswith("zh")

    def pick(self, zh: str, en: str) -> str:
        """Return the one of two wordings this viewer reads."""
        return zh if self.is_zh else en

    def label(self, code: object) -> str:
        """Return the words of a code; the code itself when it has none."""
        known = LABELS.get(str(code))
        return self.pick(*known) if known else str(code)

    def name(self, kind: str, key: str | None) -> str:
        """Return what a team, person or request type is called."""
        if not key:
            return "–"
        known = self.names.get((kind, key))
        return self.pick(*known) if known else key

    def figure(self, key: str) -> str:
        """Return the name of a figure, as it is defined."""
        found = next(d for d in DEFINITIONS if d.key == key)
        return self.pick(found.zh, found.en)

    def meaning(self, key: str) -> str:
        """Return what a figure means."""
        found = next(d for d in DEFINITIONS if d.key == key)
        return self.pick(found.meaning_zh, found.meaning_en)

    def moment(self, at: datetime | None) -> str:
        """Return a moment in the viewer's zone, to the minute."""
        return "–" if at is None else f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def short(self, at: datetime | None) -> str:
        """Return a moment in the viewer's zone without its year."""
        return "–" if at is None else f"{at.astimezone(self.zone):%m-%d %H:%M}"

    def duration(self, seconds: float | None) -> str:
        """Return a length in at most two units; hours are not made into days.

        A day of a calendar is not 24 hours long, so days would say something else.
        """
        if seconds is None:
            return "–"
        whole = round(abs(seconds))
        hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
        h, m, s = ("时", "分", "秒") if self.is_zh else (" h", " min", " s")
        gap = "" if self.is_zh else " "
        if hours:
            return f"{hours}{h}{gap}{minutes}{m}" if minutes and hours < 100 else f"{hours}{h}"
        if minutes:
            return f"{minutes}{m}{gap}{rest}{s}" if rest and minutes < 10 else f"{minutes}{m}"
        return f"{rest}{s}"

    def left(self, due_at: datetime | None, now: datetime, is_over: bool) -> str:
        """Say how far away a due moment is on the clock on the wall.

        A promise is broken (`is_over`) when more working time has gone than its target, which
        after a due moment at closing time is only when working time goes on.
        """
        if due_at is None:
            return self.pick("暂停", "paused")
        seconds = (due_at - now).total_seconds()
        if seconds < 0 and not is_over:
            return self.pick("时间用尽，未逾期", "time is up, not overdue yet")
        if seconds < 0:
            return self.pick(f"超 {self.duration(seconds)}", f"{self.duration(seconds)} over")
        return self.pick(f"剩 {self.duration(seconds)}", f"{self.duration(seconds)} left")

    def percent(self, share: float | None) -> str:
        """Return a share with one decimal."""
        return "–" if share is None else f"{share * 100:.1f}%"
