"""Rules about events, calls, rounds and what elements say."""

from __future__ import annotations

from .rule import Rule

WORD_RULES: dict[str, Rule] = {
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
    "link-target": Rule(
        "链接 {name} 在同一作用域内有 {count} 个捕获事件，应当恰好有一个。",
        "The link {name!r} has {count} catching events in its scope; there must be exactly one.",
        "画一个同名的链接捕获事件。",
        "Draw one catching link event of the same name.",
    ),
    "link-connected": Rule(
        "链接事件之间由名称相连，不能再画顺序流。",
        "Link events are joined by their name; no sequence flow may lead to or from this side.",
        "删除该顺序流。",
        "Remove the sequence flow.",
    ),
    "signal-inside": Rule(
        "信号 {name} 只到达同一实例内等待它的元素，不会到达其他请求。",
        "The signal {name!r} reaches what waits for it in the same instance, no other request.",
        "若要通知其他请求，请用消息。",
        "Use a message for what another request is to hear.",
        "warning",
    ),
    "event-scope-connected": Rule(
        "事件子流程由其事件启动，不能有顺序流或边界事件。",
        "An event sub-process is started by its event; no flow or boundary event may touch it.",
        "删除顺序流或边界事件。",
        "Remove the flow or the boundary event.",
    ),
    "event-scope-start": Rule(
        "事件子流程需要恰好一个带事件的开始事件，现有 {count} 个。",
        "An event sub-process needs exactly one start event with an event; it has {count}.",
        "画一个消息、定时、错误、升级、信号或条件开始事件。",
        "Draw one message, timer, error, escalation, signal or conditional start event.",
    ),
    "mapping-misplaced": Rule(
        "{tag} 上的{zh_what}不会生效。",
        "{what} have no effect on a {tag}.",
        "把映射移到任务或子流程上。",
        "Move the mapping to a task or a sub-process.",
    ),
    "header-word": Rule(
        "任务头 {key} 不认识“{word}”，它不会有任何作用。",
        "The task header {key} knows no word {word!r}: it would have no effect.",
        "可用的词：{known}。",
        "It knows: {known}.",
    ),
    "exclude-unknown": Rule(
        "任务头 excludes 里的“{word}”既不是已知的词，也不是本流程图的用户任务：它不会排除任何人。",
        "The task header excludes names {word!r}, which is neither a word nor a user task of this "
        "diagram: it would bar nobody.",
        "可写：{known}。",
        "Write one of: {known}.",
    ),
    "exclude-not-user-task": Rule(
        "任务头 excludes 里的“{word}”是 {tag}，不由人完成：它不会排除任何人。",
        "The task header excludes names {word!r}, a {tag}: no person completes it, so it would "
        "bar nobody.",
        "写用户任务的 id：{known}。",
        "Write the id of a user task: {known}.",
    ),
    "exclude-ambiguous": Rule(
        "任务头 excludes 里的“{word}”既是一个词，又是一个用户任务的 id。",
        "The task header excludes says {word!r}, which is both a word and the id of a user task.",
        "给该用户任务换一个 id。",
        "Give that user task another id.",
    ),
    "loop-collection": Rule(
        "多实例没有输入集合。",
        "The multi-instance has no input collection.",
        "填写 FEEL 列表，例如 =request.form.items。",
        "Write a FEEL list, for example =request.form.items.",
    ),
    "loop-output": Rule(
        "输出集合与输出元素必须一起填写。",
        "The output collection and the output element belong together.",
        "补全另一项或都删除。",
        "Fill in the other one, or remove both.",
    ),
    "process-unknown": Rule(
        "没有流程 {id}。",
        "There is no process {id!r} to call.",
        "先发布该流程，或更正流程 id。",
        "Release that process first, or correct its id.",
    ),
    "call-fixed": Rule(
        "被调用流程的 id 必须是固定文本：版本在实例启动时固定。",
        "The called process must be a fixed id: its version is pinned when an instance starts.",
        "用排他网关选择要调用的流程。",
        "Choose between call activities with an exclusive gateway.",
    ),
    "call-cycle": Rule(
        "流程互相调用成环：{cycle}",
        "Processes call one another in a circle: {cycle}",
        "把重复的步骤画成循环。",
        "Draw what repeats as a loop.",
    ),
    "call-too-deep": Rule(
        "流程调用嵌套 {depth} 层，上限 {limit} 层。",
        "Calls are nested {depth} deep; at most {limit} is allowed.",
        "减少嵌套层次。",
        "Nest less deeply.",
    ),
    "call-too-many": Rule(
        "连同被调用的流程共有 {count} 个节点，上限 {limit} 个。",
        "With all processes it calls there are {count} nodes; at most {limit} are allowed.",
        "减少被调用的流程。",
        "Call fewer processes.",
    ),
    "called-refused": Rule(
        "被调用的流程 {id} 本身不能发布：{problem_zh}",
        "The called process {id!r} cannot be released itself: {problem}",
        "先改正该流程。",
        "Mend that process first.",
    ),
    "tokens-multiply": Rule(
        "此图可同时产生多达 {count} 个令牌，上限 {limit} 个：分支未经汇聚就合并。",
        "Up to {count} tokens can come about at once; at most {limit} are allowed: what splits is "
        "merged without a join.",
        "用并行网关汇聚并行分支。",
        "Join parallel branches with a parallel gateway.",
    ),
    "moves-multiply": Rule(
        "一次操作可能需要 {count} 步，上限 {limit} 步。",
        "One operation may need {count} moves; at most {limit} are allowed.",
        "用并行网关汇聚并行分支，或在其间放等待点。",
        "Join parallel branches with a parallel gateway, or put waits between.",
    ),
    "error-not-interrupting": Rule(
        "错误边界事件必须是中断的。",
        "An error boundary event must interrupt.",
        "设为中断，或改用升级事件。",
        "Make it interrupting, or use an escalation.",
    ),
    "error-uncaught": Rule(
        "本流程中没有任何边界事件捕获错误 {code}；若调用它的流程也不捕获，则会成为事件待人处理。",
        "Nothing in this process catches the error {code!r}; unless a process that calls it does, "
        "an incident stops it.",
        "在外层子流程或调用活动上附一个错误边界事件。",
        "Attach an error boundary event to the surrounding sub-process, or to the call activity.",
        "warning",
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
        "日期 2026-01-31T09:00:00+08:00，时长 PT8H，周期 R3/PT1H 或带时区的 cron："
        "0 0 9 * * MON-FRI @Asia/Shanghai。",
        "Date 2026-01-31T09:00:00+08:00, duration PT8H, cycle R3/PT1H or cron with its zone: "
        "0 0 9 * * MON-FRI @Asia/Shanghai.",
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
    "feel-too-much": Rule(
        "流程的 FEEL 表达式合计超过 {limit} 个字符。",
        "The FEEL expressions of the process have more than {limit} characters in all.",
        "把计算移到决策表，或拆分流程。",
        "Move computations into decision tables, or split the process.",
    ),
    "twice": Rule(
        "{what} 在此出现了 {count} 次，只会读取其中一个。",
        "{what} stands here {count} times; only one of them would be read.",
        "只保留一个。",
        "Keep one.",
    ),
    "text-cut": Rule(
        "{what} 的文本被其中的元素截断。",
        "The text of {what} is cut by an element in it.",
        "删除其中的元素；< 写作 &lt;。",
        "Remove the element; write < as &lt;.",
    ),
    "job-misplaced": Rule(
        "{kind} 事件不是消息事件：其作业会取代该事件本身。",
        "A job would be done instead of this {kind} event; only a message event is sent by one.",
        "删除任务定义，并在其前画一个服务任务。",
        "Remove the task definition, and draw a service task before the event.",
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
    "priority-invalid": Rule(
        "优先级 {value!r} 不是 0 到 100 的整数。",
        "The priority {value!r} is not a whole number from 0 to 100.",
        "填写例如 50。",
        "Write for example 50.",
    ),
    "retries-invalid": Rule(
        "重试次数 {value!r} 不是 0 到 100 的整数。",
        "The retries {value!r} are not a whole number from 0 to 100.",
        "填写例如 3。",
        "Write for example 3.",
    ),
    "operation-unknown": Rule(
        "没有操作 {value!r}；levee: 开头的类型由系统自己执行。",
        "There is no operation {value!r}; types that begin with levee: are done by Levee itself.",
        "从元素模板中选择，现有：{known}。",
        "Choose an element template; there are: {known}.",
    ),
    "operation-input": Rule(
        "操作 {value} 缺少输入 {missing}。",
        "The operation {value} lacks the input {missing}.",
        "在输入映射中补上目标变量 {missing}，或使用元素模板。",
        "Add an input mapping whose target is {missing}, or use the element template.",
    ),
    "operation-choice": Rule(
        "操作 {value} 的输入 {name} 是 {told!r}，只能是：{choices}。",
        "The input {name} of {value} is {told!r}; it may be: {choices}.",
        "改为其中之一，或写 FEEL 表达式。",
        "Write one of them, or a FEEL expression.",
    ),
}
