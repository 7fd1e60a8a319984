"""Titles that name no product."""

PLACEHOLDERS = frozenset({
    "400 bad request", "403 forbidden", "404 not found", "500 internal server error", "502 bad gateway",
    "503 service unavailable", "access denied", "an error occurred", "bad gateway", "default title", "dummy",
    "dummy product", "error 404", "error 500", "insert title here", "internal server error", "item name",
    "item title", "lorem ipsum", "n a", "na", "nan", "new product", "no name", "no title", "no title available",
    "none", "not applicable", "not available", "null", "object object", "page not found", "page unavailable",
    "placeholder", "product name", "product title", "robot check", "sample product", "service unavailable",
    "something went wrong", "sorry something went wrong", "tbd", "test", "test item", "test listing",
    "test product", "test title", "title", "title goes here", "undefined", "unknown", "unknown product",
    "unknown title", "unnamed", "unnamed product", "untitled", "untitled product", "your title here",
})  # fmt: skip
"""Titles that name no product, in lower case and without punctuation."""

CODE = ("{", "getTime(")
"""What only titles hold that are pieces of a page's style or script."""
