"""What people of such a company ask for: titles that sound real, how urgent, by which channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from levee.demo.company import invented_name
from levee.demo.plan import Asked
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    import random

    from levee.demo.company import Company, Employee


@dataclass(frozen=True, slots=True)
class Matter:
    """One kind of request: its share of the day, how it is worded, and how long it takes."""

    type: str
    team: str
    share: int
    titles: tuple[str, ...]
    #: Minutes of work until it is solved, typically; the spread is the generator's.
    minutes: int
    asker: str = "employee"
    forms: tuple[Mapping[str, Any], ...] = field(default=({},))


MATTERS = (
    Matter(
        "it-incident",
        "it-service-desk",
        24,
        (
            "笔记本开机黑屏，{where}",
            "{where}打印机卡纸，打印队列不动",
            "Outlook 一直提示需要密码",
            "会议室投屏没有声音",
            "VPN 连上后打不开共享盘",
            "{system} 保存单据时报错",
            "{system} 今天特别慢，切换页面要一分钟",
            "扫码枪连不上{where}的终端",
            "企业微信收不到审批提醒",
            "电脑蓝屏两次了，怕文件丢失",
            "{where} Wi-Fi 时断时续",
        ),
        18,
        forms=({"affected_people": 1}, {"affected_people": 4}, {}),
    ),
    Matter(
        "it-access",
        "it-applications",
        13,
        (
            "新同事入职，开通 {system} 账号",
            "申请 {system} 报表查看权限",
            "调岗后需要 {system} 的录入权限",
            "{system} 密码锁定，请解锁",
            "离职交接，关闭 {system} 账号",
        ),
        12,
        forms=(
            {"system": "ERP", "level": "read"},
            {"system": "CRM", "level": "write"},
            {"system": "WMS", "level": "write"},
            {"system": "财务系统", "level": "read"},
        ),
    ),
    Matter(
        "it-equipment",
        "it-service-desk",
        7,
        ("申请显示器一台，{where}", "鼠标坏了，申请更换", "出差用笔记本申领", "新工位配电脑一套"),
        15,
        forms=(
            {"item": "27 寸显示器", "quantity": 1},
            {"item": "无线鼠标", "quantity": 1},
            {"item": "笔记本电脑", "quantity": 1},
        ),
    ),
    Matter(
        "hr-question",
        "hr-service",
        12,
        (
            "年假还剩几天？系统里看不到",
            "加班调休怎么折算",
            "公积金基数什么时候调整",
            "工资条里的补贴少了一项",
            "试用期转正流程走到哪一步了",
            "产假申请需要哪些材料",
        ),
        11,
    ),
    Matter(
        "hr-certificate",
        "hr-service",
        7,
        ("开在职证明，办签证用", "开收入证明，银行贷款用", "居住证需要在职证明"),
        9,
        forms=(
            {"kind": "employment", "purpose": "办理签证"},
            {"kind": "income", "purpose": "银行贷款"},
        ),
    ),
    Matter(
        "customer-complaint",
        "customer-care",
        7,
        (
            "订单 {order} 少发两箱，联系三次没人回",
            "到货外包装破损，要求换货（{order}）",
            "发票抬头开错，催了一周（{order}）",
            "安装师傅没按约定时间上门（{order}）",
        ),
        24,
        asker="customer",
    ),
    Matter(
        "customer-question",
        "customer-care",
        13,
        (
            "订单 {order} 什么时候能到",
            "想改收货地址（{order}）",
            "型号 KX-20 有没有现货",
            "大批量采购能否开专票",
            "质保期从哪天算起",
        ),
        8,
        asker="customer",
    ),
    Matter(
        "expense-approval",
        "finance-approval",
        10,
        ("出差报销：{city} 三天", "客户招待费审批", "展会物料采购付款", "部门团建费用审批"),
        10,
        forms=(
            {"amount": 2680.5, "reason": "出差住宿与交通"},
            {"amount": 860, "reason": "客户招待"},
            {"amount": 15800, "reason": "展会物料"},
            {"amount": 3200, "reason": "部门团建"},
        ),
    ),
    Matter(
        "exception-request",
        "finance-approval",
        3,
        ("老客户折扣超出价目表", "超期报销：{city} 出差单据遗失后补回", "合同付款条件例外"),
        25,
        forms=(
            {"kind": "price", "amount": 4200, "risk": "low", "reason": "三年老客户，竞品报价更低"},
            {"kind": "deadline", "amount": 1960, "reason": "单据被快递延误"},
            {"kind": "other", "amount": 18000, "risk": "medium", "reason": "供应商要求预付三成"},
        ),
    ),
    Matter(
        "citizen-message",
        "citizen-service",
        4,
        (
            "厂区货车夜间鸣笛，影响周边小区休息",
            "园区门口积水，行人绕行",
            "希望公示厂区噪声检测结果",
            "路灯损坏一周，夜间骑行不安全",
        ),
        20,
        asker="citizen",
    ),
)

_WORDS = {
    "where": ("三楼财务", "二号车间", "一楼前台", "销售部", "仓库", "研发楼 5 层"),
    "system": ("ERP", "CRM", "WMS", "OA", "财务系统"),
    "city": ("成都", "武汉", "深圳", "沈阳", "苏州"),
}
_CHANNELS = {
    "employee": (("portal", 48), ("wecom", 30), ("phone", 12), ("email", 10)),
    "customer": (("wechat", 42), ("phone", 24), ("email", 14), ("app", 20)),
    "citizen": (("phone", 50), ("portal", 50)),
}
#: Urgency, impact and weight: most are P3, some P2 and P4, a P1 is rare outside the storm.
_PRESSING = (
    (Urgency.HIGH, Impact.HIGH, 1),
    (Urgency.HIGH, Impact.MEDIUM, 9),
    (Urgency.MEDIUM, Impact.HIGH, 5),
    (Urgency.MEDIUM, Impact.MEDIUM, 50),
    (Urgency.HIGH, Impact.LOW, 7),
    (Urgency.MEDIUM, Impact.LOW, 16),
    (Urgency.LOW, Impact.LOW, 12),
)
#: One customer in this many is a VIP.
_VIP_ONE_IN = 8


def choose(rng: random.Random) -> Matter:
    """Return a kind of request, as often as its share says."""
    return rng.choices(MATTERS, weights=[matter.share for matter in MATTERS])[0]


def ask(matter: Matter, company: Company, rng: random.Random) -> Asked:
    """Return one such request with its requester, words, channel and pressure."""
    weights = [weight for _, _, weight in _PRESSING]
    urgency, impact, _ = rng.choices(_PRESSING, weights=weights)[0]
    channels = _CHANNELS[matter.asker]
    channel = rng.choices(channels, weights=[weight for _, weight in channels])[0][0]
    form = dict(rng.choice(matter.forms))
    words = {name: rng.choice(options) for name, options in _WORDS.items()}
    words["order"] = f"SO{rng.randrange(240_000, 260_000)}"
    if "system" in form:
        words["system"] = form["system"]
    title = rng.choice(matter.titles).format_map(words)
    asker = _employee(rng.choice(company.employees)) if matter.asker == "employee" else None
    identity, name, unit = asker or _outsider(matter.asker, rng)
    is_vip = matter.asker == "customer" and rng.randrange(_VIP_ONE_IN) == 0
    return Asked(
        type=matter.type,
        title=title,
        requester_id=identity,
        requester_name=name,
        channel=channel,
        source="crm" if matter.asker == "customer" else "portal",
        urgency=urgency,
        impact=impact,
        tier="vip" if is_vip else "standard",
        unit=unit,
        form=form,
    )


def _employee(person: Employee) -> tuple[str, str, str | None]:
    return person.id, person.name, person.unit


def _outsider(asker: str, rng: random.Random) -> tuple[str, str, str | None]:
    return f"{asker[0]}{rng.randrange(10_000, 99_999)}", invented_name(rng), None
