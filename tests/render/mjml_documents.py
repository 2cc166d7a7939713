"""Random MJML documents, composed of every component that a theme may use."""

from hypothesis import strategies as st

_WORDS = st.sampled_from(["Hello", "a & b", "<b>bold</b>", 'said "so"', "مرحبا", "💗", "x < y", "two<br/>lines"])
_TEXTS = _WORDS.map(lambda words: words.replace("x < y", "x &lt; y").replace("a & b", "a &amp; b"))
_HREF = "https://www.example.org/page"
_PICTURE = "https://www.example.org/picture.png"
_ALTS = st.sampled_from(["", ' alt=""', ' alt="A hill"'])
_GROUNDS = st.sampled_from(
    [
        "",
        f' background-url="{_PICTURE}"',
        f' background-url="{_PICTURE}" background-size="cover" full-width="full-width"',
        ' background-color="#FBF7F1" full-width="full-width"',
        ' css-class="ground" padding="0"',
    ]
)
_TABLES = st.sampled_from(
    [
        "<tr><td>laid out</td></tr>",
        "<tr><th>Day</th></tr><tr><td>Monday</td></tr>",
        "<caption>Days</caption><tr><td>Monday</td></tr>",
        "<tr><td><table><tr><th>inside</th></tr></table></td></tr>",
        "<tr><th>Day</th></tr><tr><td><table><tr><td>inside</td></tr></table></td></tr>",
    ]
)
_SOCIAL = f'<mj-social-element name="somewhere" src="{_PICTURE}" href="{_HREF}">Somewhere</mj-social-element>'
_ACCORDION = (
    f'<mj-accordion icon-wrapped-url="{_PICTURE}" icon-unwrapped-url="{_PICTURE}"><mj-accordion-element>'
    "<mj-accordion-title>{0}</mj-accordion-title><mj-accordion-text>{0}</mj-accordion-text>"
    "</mj-accordion-element></mj-accordion>"
)
_BLOCKS = st.one_of(
    _TEXTS.map(lambda words: f"<mj-text>{words}</mj-text>"),
    _ALTS.map(lambda alt: f'<mj-text>Words <img src="{_PICTURE}"{alt}> beside it</mj-text>'),
    _TABLES.map(lambda rows: f'<mj-text><table class="own">{rows}</table></mj-text>'),
    _TABLES.map(lambda rows: f"<mj-table>{rows}</mj-table>"),
    _TEXTS.map(lambda words: f'<mj-button href="{_HREF}">{words}</mj-button>'),
    _ALTS.map(lambda alt: f'<mj-image src="{_PICTURE}"{alt} />'),
    _ALTS.map(lambda alt: f'<mj-image src="{_PICTURE}" href="{_HREF}" fluid-on-mobile="true"{alt} />'),
    st.sampled_from(
        [
            "<mj-divider />",
            '<mj-spacer height="8px" />',
            f"<mj-social>{_SOCIAL}{_SOCIAL}</mj-social>",
            f'<mj-social mode="vertical">{_SOCIAL}</mj-social>',
            f'<mj-navbar><mj-navbar-link href="{_HREF}">Home</mj-navbar-link></mj-navbar>',
            f'<mj-navbar hamburger="hamburger"><mj-navbar-link href="{_HREF}">Home</mj-navbar-link></mj-navbar>',
            "<mj-raw><tr><td style='font-size:16px'><!-- a remark --><table><tr><td>raw</td></tr></table></td></tr>"
            "</mj-raw>",
            "<mj-raw><!--[if mso]><tr><td><table><tr><td>Outlook</td></tr></table></td></tr><![endif]--></mj-raw>",
        ]
    ),
    st.sampled_from(["Hello", "a &amp; b"]).map(_ACCORDION.format),
)
_COLUMNS = st.lists(_BLOCKS, min_size=1, max_size=3).map(lambda blocks: f"<mj-column>{''.join(blocks)}</mj-column>")
_GROUPS = st.lists(_COLUMNS, min_size=2, max_size=2).map(lambda columns: f"<mj-group>{''.join(columns)}</mj-group>")
_SECTIONS = st.builds(
    lambda ground, parts: f"<mj-section{ground}>{''.join(parts)}</mj-section>",
    _GROUNDS,
    st.lists(st.one_of(_COLUMNS, _GROUPS), min_size=1, max_size=3),
)
_WRAPPERS = st.builds(
    lambda ground, sections: f"<mj-wrapper{ground}>{''.join(sections)}</mj-wrapper>",
    _GROUNDS,
    st.lists(_SECTIONS, min_size=1, max_size=2),
)
_HEROES = st.builds(
    lambda mode, block: (
        f'<mj-hero mode="{mode}" height="300px" background-url="{_PICTURE}" background-width="600px" '
        f'background-height="300px">{block}</mj-hero>'
    ),
    st.sampled_from(["fluid-height", "fixed-height"]),
    st.one_of(
        _TEXTS.map(lambda words: f"<mj-text>{words}</mj-text>"), st.just(f'<mj-button href="{_HREF}">Go</mj-button>')
    ),
)
_RAW = st.sampled_from(
    [
        "<mj-raw><div style='display:none'>hidden</div></mj-raw>",
        '<mj-raw><table role="none"><tr><td>x</td></tr></table></mj-raw>',
        f'<mj-raw><!--[if gte mso 9]><v:image src="{_PICTURE}" /><![endif]--></mj-raw>',
    ]
)
_HEADS = st.sampled_from(
    [
        "",
        "<mj-head><mj-title>A title</mj-title><mj-preview>A preview</mj-preview></mj-head>",
        '<mj-head><mj-attributes><mj-all font-family="serif" /><mj-text color="#222222" /></mj-attributes></mj-head>',
        "<mj-head><mj-preview>A preview</mj-preview><mj-style>.own { color: red; }</mj-style></mj-head>",
    ]
)
DOCUMENTS = st.builds(
    lambda root, head, blocks: f"<mjml{root}>{head}<mj-body>{''.join(blocks)}</mj-body></mjml>",
    st.sampled_from(["", ' lang="de"', ' lang="ar" dir="rtl"']),
    _HEADS,
    st.lists(st.one_of(_SECTIONS, _SECTIONS, _WRAPPERS, _HEROES, _RAW), min_size=1, max_size=4),
)
