import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.text import CUT_MARK, one_line, printable, shorten, utf8_length
from services.notify.channels.wecom import wecom_body
from tests.unit.notify.channels.builders import a_message

LINK = "https://levee.example/r/R-2026-000123"
chinese = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF))
mixed = st.text(
    alphabet=st.one_of(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.sampled_from("abc ，。\n👩‍🔧🏽é́"),
        st.characters(),
    ),
    max_size=400,
)


def within(limit: int, text: str) -> str:
    return shorten(text, lambda candidate: utf8_length(candidate) <= limit)


@given(text=mixed.map(printable), limit=st.integers(0, 600))
def test_no_text_ever_exceeds_its_bytes(text: str, limit: int) -> None:
    assert utf8_length(within(limit, text)) <= limit


@given(text=mixed.map(printable))
def test_what_fits_is_left_as_it_is(text: str) -> None:
    assert within(utf8_length(text), text) == text


@given(text=chinese.filter(lambda text: len(text) > 100), limit=st.integers(100, 290))
def test_what_is_cut_is_the_beginning_and_as_much_of_it_as_fits(text: str, limit: int) -> None:
    cut = within(limit, text)

    head, _, rest = cut.partition(CUT_MARK)
    assert text.startswith(head)
    assert rest == ""
    assert utf8_length(cut) > limit - 3


@given(text=chinese.filter(lambda text: len(text) > 100))
def test_the_link_at_the_end_survives(text: str) -> None:
    assert within(250, f"{text}\n{LINK}").endswith(f"\n{LINK}")


def test_a_last_line_that_is_not_a_link_is_cut_like_the_rest() -> None:
    cut = within(120, "字" * 100 + "\n此致敬礼")

    assert cut.endswith("shortened）\n")


def test_a_letter_is_not_parted_from_its_accent_nor_a_person_from_their_tool() -> None:
    for together in ("e\u0301", "👩\u200d🔧", "👍🏽"):
        for limit in range(60, 90):
            head = within(limit, together * 40).partition(CUT_MARK)[0]

            assert head.replace(together, "") == ""


@given(text=mixed.map(printable), subject=mixed)
def test_a_wecom_message_is_at_most_2048_bytes(text: str, subject: str) -> None:
    body = wecom_body(a_message(subject=subject, text=text * 20))

    content = orjson.loads(orjson.dumps(body))["text"]["content"]
    assert utf8_length(content) <= 2048


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("a\r\nb\rc", "a\nb\nc"), ("a\ud83db", "a\ufffdb"), ("a\x00b", "a\ufffdb"), ("a\tb", "a\tb")],
)
def test_what_cannot_be_encoded_or_shown_is_replaced(raw: str, clean: str) -> None:
    assert printable(raw) == clean


def test_a_subject_has_one_line() -> None:
    assert one_line(" 工资单\r\nBcc: all@example.com ") == "工资单 Bcc: all@example.com"
