"""What the helper of a build does before there is work for it."""

from collections.abc import Iterator


def get_ready() -> Iterator[None]:
    """Do what takes a while and is the same whatever is then split, rendered and audited, most of it imports.

    In steps, in the order in which their outcome is wanted.
    """
    # Here, so that the process that only names this function need not import them.
    from ecinstruct_build.helper import share_processors  # noqa: PLC0415
    from ecinstruct_build.lazily import spare_option_docs, spare_pandas  # noqa: PLC0415

    share_processors()
    spare_pandas()
    spare_option_docs()
    from quality.splitting import placement  # noqa: F401, PLC0415

    yield
    from ecinstruct_build.stages import split  # noqa: F401, PLC0415

    yield
    from ecinstruct_build.registry import CHECKS, TASKS  # noqa: PLC0415

    TASKS.names()  # whose settings a recipe is made of
    yield
    CHECKS.names()
    yield
    import numpy.ma  # noqa: F401, PLC0415 - Arrow asks for it with the first array

    from ecinstruct_build.stages import samples  # noqa: F401, PLC0415

    yield
    from ecinstruct_build.publish import dataset  # noqa: F401, PLC0415

    yield
    from ecinstruct_build.audit import language, page, run  # noqa: F401, PLC0415

    yield
    language.model()
    yield
    page.page_template()
