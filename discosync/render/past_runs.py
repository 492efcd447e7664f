"""What is said to people about past runs."""


def render_missing_changes(count: int) -> str:
    """Say that the history holds fewer changes of a run than it made."""
    return (
        f"{count:,} of its changes are no longer in the history: `db compact` merged them into "
        "later ones, or their listings were purged"
    )
