"""Rules about the shape of a diagram."""

from __future__ import annotations

from .rule import Rule

SHAPE_RULES: dict[str, Rule] = {
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
    "id-invalid": Rule(
        "“{id}” 不是有效的 id：应以字母或下划线开头，且不含冒号、空格等。",
        "{id!r} is no id: it begins with a letter or _, and holds no colon, space or the like.",
        "用字母、数字、_、- 和 . 组成 id。",
        "Use letters, digits, _, - and . in it.",
    ),
    "id-reserved": Rule(
        "id {id} 是路由器所用变量的名称，该元素的结果会覆盖它。",
        "{id} is a variable of the router; what comes of this element would overwrite it.",
        "为该元素换一个 id，或写明输出映射。",
        "Give the element another id, or draw output mappings.",
    ),
    "flow-id-twice": Rule(
        "顺序流的 id {id} 已被使用。",
        "The id {id} of a sequence flow is taken already.",
        "使 id 唯一。",
        "Make ids unique.",
    ),
    "not-a-truth": Rule(
        '属性 {attribute}="{value}" 应为 true 或 false。',
        'The attribute {attribute}="{value}" must be true or false.',
        "改为 true 或 false。",
        "Write true or false.",
    ),
    "id-too-long": Rule(
        "id 有 {length} 个字符，上限 {limit} 个。",
        "The id has {length} characters; at most {limit} are allowed.",
        "使用较短的 id。",
        "Use a shorter id.",
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
    "loop-may-spin": Rule(
        "该循环只在可能立即结束之处等待（条件事件或空列表的多实例），可能空转：{loop}",
        "All that waits in this loop may be over at once (a condition that holds, rounds over an "
        "empty list): {loop}",
        "在循环中放一个用户任务、作业、消息或定时事件。",
        "Put a user task, a job, a message or a timer into the loop.",
        "warning",
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
}
