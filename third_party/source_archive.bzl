"""A repository made from one pinned archive of third_party/sources.txt and an overlay of our own files."""

def _source_archive_impl(ctx):
    # Resolved before the download: a repository rule starts over when a label's file is not there yet.
    fetch = ctx.path(ctx.attr._fetch)
    ctx.path(ctx.attr._table)
    build_file = ctx.path(ctx.attr.build_file) if ctx.attr.build_file else None
    overlay = [(ctx.path(label), name) for label, name in ctx.attr.overlay.items()]

    result = ctx.execute([fetch, ctx.name], timeout = 3600)
    if result.return_code != 0:
        fail(result.stderr.strip())
    archive, prefix = result.stdout.strip().split("\t")
    if ctx.attr.subfolder:
        prefix += "/" + ctx.attr.subfolder
    ctx.extract(archive, stripPrefix = prefix)
    for path in ctx.attr.unused:
        ctx.delete(path)
    if build_file:
        for name in ["BUILD", "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"]:
            ctx.delete(name)
        ctx.symlink(build_file, "BUILD.bazel")
    for path, name in overlay:
        ctx.delete(name)
        ctx.symlink(path, name)

source_archive = repository_rule(
    implementation = _source_archive_impl,
    attrs = {
        "build_file": attr.label(doc = "Takes the place of the archive's top BUILD file."),
        "overlay": attr.label_keyed_string_dict(doc = "Our files, each by its path in the repository."),
        "subfolder": attr.string(doc = "The part of the archive that becomes the repository."),
        "unused": attr.string_list(doc = "Files and folders of the archive to leave out."),
        "_fetch": attr.label(default = Label("//tools:fetch")),
        "_table": attr.label(default = Label("//third_party:sources.txt")),
    },
    environ = ["HOME", "VERDANT_CACHE", "VERDANT_MIRROR", "XDG_CACHE_HOME"],
)
