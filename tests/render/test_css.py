"""Style sheets lose what only their author needs."""

from newsletter.render.sections import compact_css


def test_spaces_and_remarks_go_and_what_is_said_stays() -> None:
    css = """
    /* a remark */
    .a, .b > table { color: #2A2724 !important; font: 16px/24px serif; }
    @media only screen and (max-width: 599px) {
    .c td { padding: 0 8px !important; }
    }
    """
    assert compact_css(css) == (
        ".a,.b>table{color:#2A2724!important;font:16px/24px serif}"
        "@media only screen and (max-width:599px){.c td{padding:0 8px!important}}"
    )
