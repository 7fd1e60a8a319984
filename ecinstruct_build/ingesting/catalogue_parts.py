"""What the columns of a catalogue's record may mean: a product, a review, a graded search result and so on."""

from typing import Literal

from pydantic import model_validator

from ecinstruct_build.ingesting.catalogue_columns import (
    AnyAnswers,
    AnyFlag,
    AnyGrade,
    AnyId,
    AnyIds,
    AnyKind,
    AnyList,
    AnyPrice,
    AnyRating,
    AnyTime,
    Columns,
    IdsColumn,
    Maybe,
    Name,
    Section,
    refused,
)


class ProductColumns(Section):
    """What a record says of a product. With the id alone it names the product and describes nothing.

    Attributes
    ----------
    id
        The product's id.
    title
        Its name.
    description
        Its description: one column, or several, each a paragraph.
    features
        Its bullet points.
    brand
        Its brand or maker.
    price
        Its price.
    categories
        Its category path from general to special.
    main_category
        Its department.
    parent_id
        The id of the product that it is a variant of.
    """

    id: AnyId
    title: Maybe = ""
    description: Columns = ()
    features: AnyList | None = None
    brand: Maybe = ""
    price: AnyPrice | None = None
    categories: AnyList | None = None
    main_category: Maybe = ""
    parent_id: AnyId | None = None

    @model_validator(mode="after")
    def _titled(self) -> "ProductColumns":
        if self.describes and not self.title:
            raise refused("a product that is described needs a title")
        return self

    @property
    def describes(self) -> bool:
        """Whether a record says more of the product than its id."""
        said = (self.title, self.description, self.features, self.brand, self.price)
        return any((*said, self.categories, self.main_category, self.parent_id))


class Relations(Section):
    """Columns with the ids of other products.

    Attributes
    ----------
    also_buy
        Bought, at any time, by those who bought this one.
    also_view
        Looked at by those who looked at this one.
    similar
        Similar to this one.
    bought_together
        Bought in one order with this one; no task asks for it as yet.
    """

    also_buy: AnyIds | None = None
    also_view: AnyIds | None = None
    similar: AnyIds | None = None
    bought_together: AnyIds | None = None

    def by_kind(self) -> list[tuple[str, IdsColumn]]:
        """Return the columns that are given, by kind of relation."""
        columns = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, column) for name, column in columns if column is not None]


class ReviewColumns(Section):
    """What a record says of a review.

    Attributes
    ----------
    product
        The product's id, where it is not that of the record's ``product``.
    user
        Who wrote it; without, or with an empty cell, it is by somebody of whom nothing else is known.
    rating
        The stars.
    title
        The headline.
    text
        The words.
    time
        When it was written; without it, nobody can tell in which order a user bought things.
    helpful
        Votes that found it helpful.
    verified
        Whether the purchase is verified.
    """

    product: AnyId | None = None
    user: Maybe = ""
    rating: AnyRating
    title: Maybe = ""
    text: Maybe = ""
    time: AnyTime | None = None
    helpful: Maybe = ""
    verified: AnyFlag | None = None


class JudgementColumns(Section):
    """What a record says of a product found for a query.

    Attributes
    ----------
    query
        The words searched for.
    query_id
        The query's id; by default the words.
    product
        The product's id, where it is not that of the record's ``product``.
    label
        How well the product answers the query.
    subset
        ``small`` or ``large``; rankings are drawn from the small one alone.
    """

    query: Name
    query_id: Maybe = ""
    product: AnyId | None = None
    label: AnyGrade
    subset: Literal["small", "large"] = "small"


class MatchColumns(Section):
    """What a record says of two listings.

    Attributes
    ----------
    left
        The id of the one, where it is not that of the record's ``product``.
    right
        The id of the other.
    is_match
        Whether they are one product; without it every record is a match.
    """

    left: AnyId | None = None
    right: AnyId
    is_match: AnyFlag | None = None


class QuestionColumns(Section):
    """What a record says of a question.

    Attributes
    ----------
    id
        The question's id; by default the record's place.
    product
        The product's id, where it is not that of the record's ``product``.
    question
        The question.
    kind
        Whether it is a yes-or-no question or one to describe; without it, all are the latter.
    answerable
        Whether the snippets answer it.
    snippets
        Pieces of reviews, best first.
    answers
        People's answers.
    """

    id: Maybe = ""
    product: AnyId | None = None
    question: Name
    kind: AnyKind | None = None
    answerable: AnyFlag | None = None
    snippets: AnyList | None = None
    answers: AnyAnswers | None = None


class SessionColumns(Section):
    """What a record says of a visit.

    Attributes
    ----------
    id
        The visit's id; by default the record's place.
    products
        The products looked at, in order.
    """

    id: Maybe = ""
    products: AnyIds
