"""A product's paragraphs: MAVE's order and cleaning, so that its paragraph numbers and characters hold."""

from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing.paragraphs import Paragraph, product_paragraphs
from ecinstruct_build.text import clean

CSS = " ".join(f".box{n} {{ margin: {n}px; }}" for n in range(30))


def paragraphs(title="Steel kettle", description=None, features=None, price=None, brand=None):
    return product_paragraphs(title, description, features, price, brand)


def texts(*args, **kwargs):
    return [paragraph.text for paragraph in paragraphs(*args, **kwargs)]


def test_order_is_title_description_features_price_brand():
    assert paragraphs("Kettle", "Boils fast.\nPours well.", ["1.7 litres", "Cordless"], "$24.00", "Hearth") == (
        Paragraph("title", "Kettle"),
        Paragraph("description", "Boils fast."),
        Paragraph("description", "Pours well."),
        Paragraph("feature", "1.7 litres"),
        Paragraph("feature", "Cordless"),
        Paragraph("price", "$24.00"),
        Paragraph("brand", "Hearth"),
    )


def test_empty_paragraphs_do_not_count():
    assert texts("Kettle", "\n \nPours well.", ["", "  ", None], "", "Hearth") == ["Kettle", "Pours well.", "Hearth"]


def test_a_product_without_a_title_has_no_paragraphs():
    for title in (None, "", "  ", '<span id="x">new Date().getTime()</span>', "<script>var a;</script>"):
        assert paragraphs(title, "Boils fast.", ["Cordless"], "$24.00", "Hearth") == ()


def test_scripts_and_styles_go_and_other_tags_leave_a_space():
    assert texts("Kettle", "<style>p{color:red}</style><p>Boils<b>fast</b></p><script>go()</script> and well") == [
        "Kettle",
        "Boils fast and well",
    ]


def test_entities_are_resolved_once_within_a_word():
    assert texts("Salt &amp; Pepper&#39;s caf&eacute; &amp;lt; &#x41; A&B &bogus; R&#153;") == [
        "Salt & Pepper's café &lt; A A&B &bogus R™"
    ]


def test_white_space_is_collapsed():
    assert texts("Steel \t  kettle\u00a0 1.7 l") == ["Steel kettle 1.7 l"]


def test_what_still_looks_like_html_or_css_is_left_out():
    features = ["see javascript:void(0)", "with background-color: red", "menu li: first", CSS, "Cordless"]
    assert texts("Kettle", features=features) == ["Kettle", "Cordless"]


def test_a_few_style_like_words_do_no_harm():
    text = "Height .5 to .7 m, 300px print, state-of-the-art"
    assert texts("Kettle", text) == ["Kettle", text]


def test_a_malformed_declaration_is_kept_as_text():
    assert texts("Kettle", "before <![odd[ after") == ["Kettle", "before <![odd[ after"]
    assert clean("before <![odd[ x ]]> <b>after</b>") == "before after"


ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@given(ANY, ANY, st.lists(ANY, max_size=3), ANY, ANY)
def test_any_text_gives_single_spaced_paragraphs_in_order(title, description, features, price, brand):
    found = product_paragraphs(title, description, features, price, brand)
    order = ["title", "description", "feature", "price", "brand"]
    positions = [order.index(paragraph.source) for paragraph in found]
    assert positions == sorted(positions)
    assert all(paragraph.text == " ".join(paragraph.text.split()) != "" for paragraph in found)
    assert not found or found[0].source == "title"
