"""What the helper of a build does before there is work for it."""


def get_ready() -> None:
    """Do what takes a while and is the same whatever is then rendered and audited, most of it imports."""
    # Here, so that the process that only names this function need not import them.
    from ecinstruct_build.lazily import spare_option_docs, spare_pandas  # noqa: PLC0415

    spare_pandas()
    spare_option_docs()
    from ecinstruct_build.audit import language, page, run  # noqa: F401, PLC0415
    from ecinstruct_build.publish import dataset  # noqa: F401, PLC0415
    from ecinstruct_build.registry import CHECKS, TASKS  # noqa: PLC0415
    from ecinstruct_build.stages import samples, split  # noqa: F401, PLC0415

    for registry in (TASKS, CHECKS):
        registry.names()  # whose settings a recipe is made of
    language.model()
    page.page_template()
