"""Hosts that lie to robots: they answer a program with a refusal where a person sees the page.

What they answer says nothing about a link, so links to them are told as not judged. A host stands for its subdomains
too.
"""

ROBOT_WALLS = frozenset(
    {
        # Social networks: a wall, a login or 999.
        *("facebook.com", "fb.com", "fb.me", "fb.watch", "instagram.com", "linkedin.com", "lnkd.in", "messenger.com"),
        *("m.me", "pinterest.com", "quora.com", "reddit.com", "snapchat.com", "threads.com", "threads.net"),
        *("tiktok.com", "twitter.com", "t.co", "x.com", "wa.me", "whatsapp.com", "medium.com"),
        # Shops and directories: 403, 405 or 503 for whatever is no browser.
        *("amazon.ca", "amazon.co.uk", "amazon.com", "amazon.de", "amazon.es", "amazon.fr", "amazon.it", "amzn.to"),
        *(
            "etsy.com",
            "fiverr.com",
            "glassdoor.com",
            "indeed.com",
            "patreon.com",
            "udemy.com",
            "upwork.com",
            "yelp.com",
        ),
        # Newspapers and publishers of research: 401 or 403.
        *("academic.oup.com", "bloomberg.com", "forbes.com", "ft.com", "jstor.org", "journals.sagepub.com"),
        *("nytimes.com", "onlinelibrary.wiley.com", "psycnet.apa.org", "pubs.acs.org", "researchgate.net"),
        *("sciencedirect.com", "tandfonline.com", "washingtonpost.com", "wsj.com"),
    }
)


def wall_of(host: str) -> str | None:
    """The entry that a host belongs to; None where its answers can be believed."""
    labels = host.split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((parent for parent in parents if parent in ROBOT_WALLS), None)
