"""A seller's words inside Markdown."""


def escape(text: str) -> str:
    """Write text for Markdown, so that it becomes no markup, mention or link."""
    for mark in "\\`*_[]|~#":
        text = text.replace(mark, "\\" + mark)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("@", "@\u200b")
