"""Why a backup could not be made or put back."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Invalid, NotFound, Refused, Unavailable


class NothingToBackUp(NotFound):
    """There is no house in {folder}: {missing} is missing."""

    zh: ClassVar[str] = "{folder} 中没有系统：缺少 {missing}。"


class DatabaseUnnamed(Invalid):
    """{variable} is not set (or not valid): name each service's database as its own process does.

    Reason: {reason}
    """

    zh: ClassVar[str] = (
        "{variable} 未设置或无效：请像各服务自己的进程那样给出其数据库地址。原因：{reason}"
    )


class HouseBusy(Unavailable):
    """{service}: another process kept its database locked for {seconds} s; try again.

    Nothing was written. Reason: {reason}
    """

    zh: ClassVar[str] = (
        "{service}：其数据库被其他进程锁定超过 {seconds} 秒；请重试。未写入任何内容。原因：{reason}"
    )


class SchemaDiffers(Refused):
    """{service}: the database is at revision {found}, this program writes {wanted}.

    Back up with the version of Levee that runs, or migrate first.
    """

    zh: ClassVar[str] = (
        "{service}：数据库处于修订 {found}，当前程序需要 {wanted}。"
        "请用正在运行的 Levee 版本备份，或先执行 migrate。"
    )


class UnheardAndForgotten(Refused):
    """{service} has not heard {count} events of {publisher} that no outbox keeps any more.

    They exist in the stream alone, which a backup does not contain; the first is {key}, number
    {sequence}. Let {service} catch up (`levee status` shows its lag) and back up again.
    """

    zh: ClassVar[str] = (
        "{service} 还有 {count} 个来自 {publisher} 的事件未处理，而发件箱中已不再保留它们。"
        "它们只存在于消息流中，备份不含消息流；第一个是 {key} 的第 {sequence} 个。"
        "请等 {service} 追上进度（levee status 可见其滞后）后再备份。"
    )


class NotOneMoment(Refused):
    """{service} has heard event {heard} of {publisher} about {key}, which said only {said}.

    The databases do not belong to one moment: was one of them restored alone?
    """

    zh: ClassVar[str] = (
        "{service} 已处理 {publisher} 关于 {key} 的第 {heard} 个事件，而后者只发出了 {said} 个。"
        "这些数据库不属于同一时刻：是否单独恢复过其中一个？"
    )


class NoBackup(NotFound):
    """{folder} is no backup of Levee: {reason}"""

    zh: ClassVar[str] = "{folder} 不是 Levee 的备份：{reason}"


class BackupDamaged(Invalid):
    """{file}: {reason}. Nothing was restored; take another backup."""

    zh: ClassVar[str] = "{file}：{reason}。未恢复任何内容；请换用其他备份。"


class BackupNewer(Refused):
    """The backup was written by Levee {found} ({detail}), this is {own}: upgrade first."""

    zh: ClassVar[str] = "备份由 Levee {found} 写成（{detail}），当前为 {own}：请先升级。"


class NotEmpty(Refused):
    """{place} is not empty: {what}. A backup is restored into an empty house only."""

    zh: ClassVar[str] = "{place} 不为空：{what}。备份只能恢复到空的系统中。"


class NotSound(Refused):
    """What the backup holds does not add up ({count} findings, the first: {first}).

    Nothing was put in place. Take an older backup, or this one with --accept-faults.
    """

    zh: ClassVar[str] = (
        "备份内容核对不符（{count} 处，第一处：{first}）。未放入任何内容。"
        "请换用更早的备份，或加 --accept-faults 仍使用本备份。"
    )


class NoRoom(Unavailable):
    """{place} cannot be written: {reason}. Nothing was left half done."""

    zh: ClassVar[str] = "无法写入 {place}：{reason}。没有留下半成品。"
