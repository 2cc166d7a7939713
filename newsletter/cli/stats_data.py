"""The figures of the audience for a script."""

from dataclasses import asdict

from newsletter.model.stats import AudienceFacts, AudienceStats, Breakdown, Candidates, Engagement, Growth, Mailboxes


def stats_data(stats: AudienceStats) -> dict[str, object]:
    """All figures, named as on their records; moments are ISO 8601, shares are left to whoever reads."""
    return {
        "at": stats.at.isoformat(),
        "facts": _facts(stats.facts),
        "growth": _growth(stats.growth),
        "sources": _breakdown(stats.sources, "source"),
        "imports": [{**asdict(each), "at": each.at.isoformat()} for each in stats.imports],
        "languages": _breakdown(stats.languages, "language"),
        "zones": _breakdown(stats.zones, "zone"),
        "regions": _breakdown(stats.regions, "region"),
        "mailboxes": _mailboxes(stats.mailboxes),
        "engagement": _engagement(stats.engagement),
        "candidates": [_candidates(each) for each in stats.candidates],
    }


def _facts(facts: AudienceFacts) -> dict[str, object]:
    return {**asdict(facts), "mailable": facts.mailable, "all_suppressed": facts.all_suppressed}


def _growth(growth: Growth) -> dict[str, object]:
    return {
        "before": growth.before,
        "after": growth.after,
        "months": [
            {
                "month": f"{month.month:%Y-%m}",
                "joined": month.joined,
                "returned": month.returned,
                "left": dict(month.left),
                "all_left": month.all_left,
                "net": month.net,
            }
            for month in growth.months
        ],
    }


def _breakdown(breakdown: Breakdown, noun: str) -> dict[str, object]:
    return {
        "groups": [
            {
                noun: group.name,
                **({"title": group.title} if group.title else {}),
                "people": group.people,
                **({} if group.left is None else {"left": group.left}),
            }
            for group in breakdown.groups
        ],
        "further": breakdown.further,
        "further_people": breakdown.further_people,
        "unknown": breakdown.unknown,
    }


def _mailboxes(mailboxes: Mailboxes) -> dict[str, object]:
    return {
        "providers": [
            {"provider": group.provider.value, "title": group.provider.label, "people": group.people}
            for group in mailboxes.providers
        ],
        "other_domains": _breakdown(mailboxes.domains, "domain"),
    }


def _engagement(engagement: Engagement) -> dict[str, object]:
    since = engagement.opens_known_since
    return {
        **asdict(engagement),
        "neither": engagement.neither,
        "opens_known_since": since.isoformat() if since else None,
    }


def _candidates(candidates: Candidates) -> dict[str, object]:
    count = candidates.count
    return {
        **asdict(candidates),
        "count": {**asdict(count), "mailable": count.mailable} if count else None,
    }
