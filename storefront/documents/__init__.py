"""Papers as PDF: typst templates (*.typ) filled with plain data. Knows no shop, no database and no request."""

from storefront.documents.pdf import FONT, MissingGlyphs, as_pdf, without_missing_glyphs

__all__ = ["FONT", "MissingGlyphs", "as_pdf", "without_missing_glyphs"]
