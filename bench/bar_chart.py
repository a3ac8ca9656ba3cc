"""Horizontal bars as SVG: a picture that can be read on a light and on a dark page."""

from xml.sax.saxutils import escape

WIDTH = 760
LABEL_WIDTH = 300
VALUE_WIDTH = 130
BAR_HEIGHT = 22
STEP = 34
TOP = 64

# The picture brings its own ground: a page's colours are not always those that the system asks for.
STYLE = """
    text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .note { font-size: 12px; fill: #59636e }
    .ground { fill: #ffffff; stroke: #d1d9e0 }
    .bar { fill: #8c959f }
    .ours { fill: #1f6feb }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 }
        .note { fill: #9198a1 }
        .ground { fill: #0d1117; stroke: #3d444d }
        .bar { fill: #6e7681 }
        .ours { fill: #4493f8 }
    }
"""


def text(x, y, content, css="", anchor="start"):
    css = f' class="{css}"' if css else ""
    return f'  <text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{css}>{escape(content)}</text>'


def bar_chart(title, note, bars):
    """bars: (label, value, what stands behind the bar, whether it is one of ours), drawn in this order."""
    height = TOP + STEP * len(bars) + 8
    longest = max(value for _, value, _, _ in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title note">',
        f'  <title id="title">{escape(title)}</title>',
        f'  <desc id="note">{escape(note)}</desc>',
        f"  <style>{STYLE}  </style>",
        f'  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        text(20, 28, title, "title"),
        text(20, 48, note, "note"),
    ]
    for number, (label, value, told, is_ours) in enumerate(bars):
        y = TOP + STEP * number
        length = max(1, (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value / longest)
        lines += [
            text(LABEL_WIDTH - 12, y + 16, label, anchor="end"),
            f'  <rect class="{"ours" if is_ours else "bar"}" x="{LABEL_WIDTH}" y="{y}" width="{length:.1f}" '
            f'height="{BAR_HEIGHT}" rx="2"/>',
            text(LABEL_WIDTH + length + 8, y + 16, told),
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
