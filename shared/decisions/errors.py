"""How decisions say no."""

from __future__ import annotations

from shared.errors import Invalid, NotFound, Refused


class DecisionsRefused(Invalid):
    """The decisions in {file} cannot be used: {count} findings."""

    zh = "{file} 中的决策不可用：共 {count} 处问题。"
    code = "decisions-refused"


class DecisionNotFound(NotFound):
    """There is no decision {decision}; the model has: {known}."""

    zh = "没有名为 {decision} 的决策；模型中有：{known}。"
    code = "decision-not-found"


class HitPolicyViolated(Refused):
    """Table {table} is {policy}, but rules {rules} all match."""

    zh = "决策表 {table} 的命中策略为 {policy}，但规则 {rules} 同时命中。"
    code = "hit-policy-violated"


class InputUnreadable(Invalid):
    """Input {name} has a value that is not JSON: {kind}."""

    zh = "输入 {name} 的值不是 JSON：{kind}。"
    code = "input-unreadable"
