"""Addresses of pictures, for a browser."""

import pytest

from newsletter.model.rendered import Picture, with_local_pictures

NAME = "portrait-1f0c2a9b77e1.png"
PICTURE = Picture(name=NAME, content_type="image/png", content=b"", width=1, height=1)


@pytest.mark.parametrize("address", [f"cid:{NAME}@newsletter", f"https://archive.example.org/letters/i/{NAME}"])
@pytest.mark.parametrize(
    "place", ['<img src="{}">', "<td background='{}'>", "background:url({}) top", '<v:fill src="{}"/>']
)
def test_a_picture_of_the_issue_is_fetched_from_beside_the_page(address: str, place: str) -> None:
    local = with_local_pictures(place.format(address), [PICTURE], "pictures/")
    assert local == place.format(f"pictures/{NAME}")


def test_other_addresses_stay() -> None:
    html = f'<a href="https://example.org/images/other.png"><img src="cid:other.png@newsletter">{NAME}</a>'
    assert with_local_pictures(html, [PICTURE], "pictures/") == html
