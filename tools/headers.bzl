"""Compiles every header of a cc_library by itself: with nothing included before it, and the target's dependencies only.

    tools/bazel build --aspects=//tools:headers.bzl%self_contained_headers --output_groups=headers //...
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _self_contained_headers_impl(target, ctx):
    if ctx.rule.kind != "cc_library" or target.label.workspace_name:
        return []
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    files = ctx.rule.files.hdrs + ctx.rule.files.srcs
    sources = []
    for header in [file for file in files if file.extension == "h"]:
        source = ctx.actions.declare_file("_headers/{}/{}.cc".format(target.label.name, header.short_path))
        ctx.actions.write(source, "#include \"{}\"\n".format(header.short_path))
        sources.append(source)
    if not sources:
        return []
    _, outputs = cc_common.compile(
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = toolchain,
        name = target.label.name + "_headers",
        srcs = sources,
        private_hdrs = [file for file in ctx.rule.files.srcs if file.extension == "h"],
        compilation_contexts = [target[CcInfo].compilation_context],
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.rule.attr.copts,
    )
    return [OutputGroupInfo(headers = depset(outputs.objects + outputs.pic_objects))]

self_contained_headers = aspect(
    implementation = _self_contained_headers_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
