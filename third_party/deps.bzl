"""The external repositories of this project; each is fetched when a target that needs it is first built."""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load(":source_archive.bzl", "source_archive")

def verdant_dependencies():
    """Declares what is not declared yet, so that a consuming workspace may bring its own."""

    # Build rules that Abseil's BUILD files load.
    maybe(
        http_archive,
        name = "bazel_skylib",
        sha256 = "cd55a062e763b9349921f0f5db8c3933288dc8ba4f76dd9416aac68acee3cb94",
        urls = ["https://github.com/bazelbuild/bazel-skylib/releases/download/1.5.0/bazel-skylib-1.5.0.tar.gz"],
    )

    # Abseil keeps its own BUILD files: its many targets are its interface.
    maybe(source_archive, name = "com_google_absl")
    maybe(
        source_archive,
        name = "com_google_googletest",
        build_file = Label("//third_party:googletest.BUILD"),
    )
    maybe(
        source_archive,
        name = "com_github_google_benchmark",
        build_file = Label("//third_party:benchmark.BUILD"),
    )
    maybe(
        source_archive,
        name = "boringssl",
        build_file = Label("//third_party:boringssl.BUILD"),
        unused = ["crypto_test_data.cc"],
    )
    maybe(
        source_archive,
        name = "cares",
        build_file = Label("//third_party:cares.BUILD"),
        overlay = {Label("//third_party:cares/ares_config.h"): "src/lib/ares_config.h"},
    )
    maybe(
        source_archive,
        name = "zlib",
        build_file = Label("//third_party:zlib.BUILD"),
    )
    maybe(
        source_archive,
        name = "brotli",
        build_file = Label("//third_party:brotli.BUILD"),
    )
    maybe(
        source_archive,
        name = "zstd",
        build_file = Label("//third_party:zstd.BUILD"),
    )
    maybe(
        source_archive,
        name = "nghttp2",
        build_file = Label("//third_party:nghttp2.BUILD"),
    )
    maybe(
        source_archive,
        name = "curl",
        build_file = Label("//third_party:curl.BUILD"),
        overlay = {Label("//third_party:curl/curl_config.h"): "lib/curl_config.h"},
    )
    maybe(
        source_archive,
        name = "lexbor",
        build_file = Label("//third_party:lexbor.BUILD"),
        subfolder = "ext/dom/lexbor",
    )
    maybe(
        source_archive,
        name = "ada",
        build_file = Label("//third_party:ada.BUILD"),
    )
    maybe(
        source_archive,
        name = "com_googlesource_code_re2",
        build_file = Label("//third_party:re2.BUILD"),
    )
