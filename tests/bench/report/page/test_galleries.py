"""Pictures below the tables have headings of their own, on the page and in Markdown."""

from chunkenv.bench.report.page import Content, to_html, to_markdown
from chunkenv.bench.report.page.picture import svg_picture
from chunkenv.bench.report.tables import Entry, PlainTable

TABLE = PlainTable("Results", "", ["name"], [[Entry("ada", "ada")]])
CONTENT = Content(
    "Report", [], [], [], [TABLE], [], [], [], [("Latency <models>", [svg_picture("calm.svg", b"<svg/>", "Calm.")])]
)


def test_on_the_page_they_come_below_the_tables():
    page = to_html(CONTENT)
    assert page.index("ada") < page.index("<h2>Latency &lt;models&gt;</h2>") < page.index('alt="Calm."')


def test_in_markdown_they_come_below_the_tables():
    lines = to_markdown(CONTENT).splitlines()
    assert lines.index("| ada |") < lines.index("## Latency <models>") < lines.index("![Calm.](calm.svg)")
