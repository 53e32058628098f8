"""Charts as SVG that stands alone, and inside a page: light or dark as the reader's system."""
