"""Every rule a diagram can break: what is wrong and how to mend it, in Chinese and English.

A rule's code is stable: editors, tests and people refer to it. `{…}` is filled in by the finding.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """The sentences of one rule."""

    zh: str
    en: str
    zh_fix: str
    en_fix: str
    severity: str = "error"


RULES: dict[str, Rule] = {
    # -- the file
    "file-too-big": Rule(
        "文件过大：{size} 字节，上限 {limit} 字节。",
        "The file has {size} bytes; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "file-not-xml": Rule(
        "文件不是格式良好的 XML：{problem}",
        "The file is not well-formed XML: {problem}",
        "用 Camunda Modeler 重新保存该文件。",
        "Save the file again with Camunda Modeler.",
    ),
    "file-has-dtd": Rule(
        "文件含有 DTD 或实体声明，出于安全原因不予接受。",
        "The file declares a DTD or entities, which is refused for safety.",
        "删除 <!DOCTYPE …> 声明。",
        "Remove the <!DOCTYPE …> declaration.",
    ),
    "file-not-bpmn": Rule(
        "根元素是 {tag}，不是 BPMN 2.0 的 definitions。",
        "The root element is {tag}, not the definitions of BPMN 2.0.",
        "请提供 BPMN 2.0 图。",
        "Hand in a BPMN 2.0 diagram.",
    ),
    "process-count": Rule(
        "文件中有 {count} 个可执行流程，应当恰好有一个。",
        "The file has {count} executable processes; there must be exactly one.",
        '只让一个 process 的 isExecutable="true"。',
        'Set isExecutable="true" on exactly one process.',
    ),
    "too-many-nodes": Rule(
        "流程有 {count} 个节点，上限 {limit} 个。",
        "The process has {count} nodes; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "too-many-flows": Rule(
        "流程有 {count} 条顺序流，上限 {limit} 条。",
        "The process has {count} sequence flows; at most {limit} are allowed.",
        "把流程拆成几个较小的流程。",
        "Split the process into smaller ones.",
    ),
    "too-deep": Rule(
        "子流程嵌套 {depth} 层，上限 {limit} 层。",
        "Sub-processes are nested {depth} deep; at most {limit} is allowed.",
        "减少嵌套层次。",
        "Nest less deeply.",
    ),
    "more-findings": Rule(
        "还有更多问题；只列出前 {limit} 处。",
        "There is more; only the first {limit} findings are listed.",
        "改正已列出的问题后再次检查。",
        "Mend these and check again.",
    ),
    # -- dialect
    "foreign-dialect": Rule(
        "{what} 属于其他引擎的方言（{dialect}），这里不会执行。",
        "{what} belongs to another engine's dialect ({dialect}) and would not be executed.",
        "在 Camunda Modeler 中以 Camunda 8 模式重画这一步。",
        "Draw this step anew in Camunda Modeler's Camunda 8 mode.",
    ),
    "juel-expression": Rule(
        "{text} 是 JUEL 表达式，这里只理解 FEEL。",
        "{text} is a JUEL expression; only FEEL is understood.",
        '改写为 FEEL，例如 =request.urgency = "high"。',
        'Write it in FEEL, for example =request.urgency = "high".',
    ),
    "unknown-extension": Rule(
        "扩展元素 {what} 不受支持。",
        "The extension element {what} is not supported here.",
        "删除该扩展；此处可用：{possible}。",
        "Remove it; possible here: {possible}.",
    ),
    "unknown-attribute": Rule(
        '{what} 的属性 {attribute}="{value}" 不受支持。',
        'The attribute {attribute}="{value}" of {what} is not supported.',
        "删除该属性。",
        "Remove the attribute.",
    ),
    "unsupported-element": Rule(
        "元素 {tag} 不受支持：{zh_reason}。",
        "The element {tag} is not supported: {reason}.",
        "{zh_remedy}。",
        "{remedy}.",
    ),
    "unsupported-event": Rule(
        "{kind} 事件在 {tag} 上不受支持。",
        "A {kind} event is not supported on a {tag}.",
        "支持：消息、定时、错误、升级、终止事件；请改用其中之一。",
        "Use a message, timer, error, escalation or terminate event.",
    ),
    "drawn-only": Rule(
        "{tag} 只是图示，不会执行。",
        "A {tag} is drawn only; nothing is executed for it.",
        "若需执行，请改用变量映射。",
        "Use input and output mappings for data that matters.",
        "warning",
    ),
    "passes-at-once": Rule(
        "{tag} 不会停下来等人，流程立即继续。",
        "A {tag} asks nobody; the process goes on at once.",
        "需要人处理时请用用户任务。",
        "Use a user task when a person has to act.",
        "warning",
    ),
    # -- structure
    "id-missing": Rule(
        "元素 {tag} 没有 id。",
        "A {tag} has no id.",
        "为该元素设置 id。",
        "Give the element an id.",
    ),
    "id-twice": Rule(
        "id {id} 出现了多次。",
        "The id {id} occurs more than once.",
        "使 id 唯一。",
        "Make ids unique.",
    ),
    "start-count": Rule(
        "{where} 有 {count} 个开始事件，应当恰好有一个空开始事件。",
        "{where} has {count} start events; exactly one plain start event is needed.",
        "只保留一个空开始事件。",
        "Keep exactly one plain start event.",
    ),
    "start-entered": Rule(
        "有顺序流指向开始事件。",
        "A sequence flow leads into the start event.",
        "让该顺序流指向开始之后的元素。",
        "Lead the flow to an element after the start.",
    ),
    "end-left": Rule(
        "有顺序流从结束事件流出。",
        "A sequence flow leaves the end event.",
        "用中间事件代替结束事件。",
        "Use an intermediate event instead.",
    ),
    "boundary-entered": Rule(
        "有顺序流指向边界事件。",
        "A sequence flow leads into a boundary event.",
        "边界事件由其所附活动触发，删除该顺序流。",
        "Remove the flow: a boundary event is triggered on its activity.",
    ),
    "flow-dangling": Rule(
        "顺序流的 {end} “{id}” 不是本流程的节点。",
        "The flow's {end} {id!r} is not a node of this process.",
        "重新连接或删除该顺序流。",
        "Connect the flow again or remove it.",
    ),
    "flow-crosses-scope": Rule(
        "顺序流跨越了子流程边界。",
        "The sequence flow crosses the border of a sub-process.",
        "从子流程自身引出顺序流。",
        "Lead the flow from the sub-process itself.",
    ),
    "flow-twice": Rule(
        "从 {source} 到汇聚网关 {target} 有多条顺序流。",
        "Several sequence flows lead from {source} to the join {target}.",
        "只保留一条。",
        "Keep one of them.",
    ),
    "implicit-split": Rule(
        "该元素有 {count} 条流出的顺序流（隐式分支）。",
        "{count} sequence flows leave this element (implicit split).",
        "在其后画一个网关。",
        "Draw a gateway behind it.",
    ),
    "unreachable": Rule(
        "从开始事件无法到达该元素，它永远不会执行。",
        "No path leads from the start to this element; it would never run.",
        "连接该元素或将其删除。",
        "Connect the element or remove it.",
    ),
    "dead-end": Rule(
        "流程在此处没有结束事件便终止。",
        "The path ends here without an end event.",
        "画一个有名称的结束事件。",
        "Draw a named end event.",
        "warning",
    ),
    "condition-misplaced": Rule(
        "该顺序流上的条件不会被计算（{zh_reason}）。",
        "The condition on this flow would not be evaluated ({reason}).",
        "把条件放在排他或包容网关流出的非默认顺序流上。",
        "Put conditions on the non-default flows of exclusive or inclusive gateways.",
    ),
    "condition-missing": Rule(
        "网关的这条非默认顺序流没有条件。",
        "This non-default flow of the gateway has no condition.",
        "写上 FEEL 条件，或设为默认流。",
        "Write a FEEL condition or make it the default flow.",
    ),
    "default-unknown": Rule(
        "默认流 {id} 不是从该网关流出的顺序流。",
        "The default flow {id} does not leave this gateway.",
        "重新选择默认流。",
        "Choose the default flow again.",
    ),
    "no-default": Rule(
        "网关没有默认流；若所有条件都不成立，流程会成为事件待人处理。",
        "The gateway has no default flow; when no condition holds, an incident stops the process.",
        "设置一条默认流。",
        "Set a default flow.",
        "warning",
    ),
    "race-target": Rule(
        "基于事件的网关之后只能是消息或定时的中间捕获事件或接收任务，且只能由该网关进入。",
        "Only catching message or timer events or receive tasks may follow an event-based gateway, "
        "and only it may lead to them.",
        "在网关后直接画捕获事件。",
        "Draw catching events right behind the gateway.",
    ),
    "race-alone": Rule(
        "基于事件的网关至少需要两条流出的顺序流。",
        "An event-based gateway needs at least two outgoing flows.",
        "再加一个可等待的事件，或删除网关。",
        "Add another event to wait for, or remove the gateway.",
    ),
    "loop-without-wait": Rule(
        "该循环中没有任何等待点，会一直空转：{loop}",
        "This loop waits for nothing and would spin without end: {loop}",
        "在循环中放一个用户任务、作业、消息或定时事件。",
        "Put a user task, a job, a message or a timer into the loop.",
    ),
    "loop-into-join": Rule(
        "循环从汇聚网关之后回到该汇聚网关，第一轮会永远等待。",
        "A loop leads from behind this join back into it; the first round would wait for ever.",
        "让循环回到分支网关之前，或用排他网关汇合。",
        "Lead the loop back to before the split, or merge it with an exclusive gateway.",
    ),
    "attached-to": Rule(
        "边界事件所附的 {id} 不是可附着的活动。",
        "The boundary event is attached to {id!r}, which is not an activity it may sit on.",
        "把事件附在任务或子流程上。",
        "Attach the event to a task or a sub-process.",
    ),
    "attached-to-passing": Rule(
        "{tag} 不会停留，附在其上的事件永远不会触发。",
        "A {tag} never rests, so an event attached to it would never fire.",
        "把事件附在用户任务、作业、接收任务或子流程上。",
        "Attach it to a user task, a job, a receive task or a sub-process.",
    ),
    # -- events
    "event-several": Rule(
        "一个事件只能有一个事件定义。",
        "An event may have one event definition only.",
        "拆成几个事件。",
        "Split it into several events.",
    ),
    "event-empty": Rule(
        "该事件没有说明等待或抛出什么：缺少 {what}。",
        "The event does not say what it waits for or throws: {what} is missing.",
        "在属性面板中补全。",
        "Fill it in in the properties panel.",
    ),
    "event-name-feel": Rule(
        "{what} 必须是固定文本，不能是表达式。",
        "The {what} must be a fixed text, not an expression.",
        "写固定的名称或代码。",
        "Write a fixed name or code.",
    ),
    "error-not-interrupting": Rule(
        "错误边界事件必须是中断的。",
        "An error boundary event must interrupt.",
        "设为中断，或改用升级事件。",
        "Make it interrupting, or use an escalation.",
    ),
    "error-uncaught": Rule(
        "没有任何边界事件捕获错误 {code}。",
        "No boundary event catches the error {code!r}.",
        "在外层子流程上附一个错误边界事件。",
        "Attach an error boundary event to the surrounding sub-process.",
    ),
    "never-thrown": Rule(
        "在 {tag} 上没有谁会抛出{zh_kind}，该事件永远不会触发。",
        "Nothing throws an {kind} on a {tag}, so this event would never fire.",
        "把事件附在作业或子流程上。",
        "Attach it to a job or a sub-process.",
    ),
    "timer-empty": Rule(
        "定时事件没有日期、时长或周期。",
        "The timer has no date, duration or cycle.",
        '填写例如 P5D 或 =duration("PT8H")。',
        'Write for example P5D or =duration("PT8H").',
    ),
    "timer-invalid": Rule(
        "定时文本无效：{problem}",
        "The timer's text is not valid: {problem}",
        "日期 2026-01-31T09:00:00+08:00，时长 PT8H，周期 R3/PT1H。",
        "Date 2026-01-31T09:00:00+08:00, duration PT8H, cycle R3/PT1H.",
    ),
    "cycle-misplaced": Rule(
        "周期定时只能用在非中断边界事件上。",
        "A cycle is possible on non-interrupting boundary events only.",
        "改用日期或时长。",
        "Use a date or a duration.",
    ),
    # -- what elements say
    "feel-invalid": Rule(
        "{what} 不是有效的 FEEL：{problem_zh}",
        "{what} is not valid FEEL: {problem}",
        "改正表达式。",
        "Correct the expression.",
    ),
    "feel-doubtful": Rule(
        "{what} 虽可计算，但可能不是本意：{problem_zh}",
        "{what} can be evaluated but is hardly meant so: {problem}",
        "检查表达式。",
        "Look at the expression again.",
        "warning",
    ),
    "feel-sign-missing": Rule(
        "{what} 必须以 = 开头（FEEL 表达式）。",
        "{what} must start with = (a FEEL expression).",
        "在前面加上 =。",
        "Put = in front of it.",
    ),
    "work-missing": Rule(
        "{tag} 没有说明要做什么。",
        "The {tag} does not say what is to be done.",
        "{zh_remedy}。",
        "{remedy}.",
    ),
    "work-twice": Rule(
        "该任务同时声明了 {what}，只能有一个。",
        "The task says {what} at once; only one is possible.",
        "只保留一种实现。",
        "Keep one implementation.",
    ),
    "script-not-feel": Rule(
        "脚本任务含有程序代码，这里只执行 FEEL 表达式。",
        "The script task holds program code; only a FEEL expression is executed.",
        "改用 zeebe:script 的 FEEL 表达式，或改为服务任务。",
        "Use a FEEL expression (zeebe:script) or a service task.",
    ),
    "result-variable-missing": Rule(
        "缺少结果变量 resultVariable。",
        "The resultVariable is missing.",
        "填写结果变量名。",
        "Name the result variable.",
    ),
    "decision-unknown": Rule(
        "决策 {id} 不存在。",
        "There is no decision {id!r}.",
        "可用的决策：{known}。",
        "Known decisions: {known}.",
    ),
    "mapping-invalid": Rule(
        "映射目标 {target!r} 不是有效的变量名。",
        "The mapping's target {target!r} is not a variable name.",
        "使用字母、数字、下划线，层级用点分隔。",
        "Use letters, digits and underscores, dots between levels.",
    ),
    "retries-invalid": Rule(
        "重试次数 {value!r} 不是 0 到 100 的整数。",
        "The retries {value!r} are not a whole number from 0 to 100.",
        "填写例如 3。",
        "Write for example 3.",
    ),
}
