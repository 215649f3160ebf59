"""The page of supported elements says what the engine's tables say."""

from tools.dialect_document import DOCUMENT, document


def test_the_page_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make events`"
