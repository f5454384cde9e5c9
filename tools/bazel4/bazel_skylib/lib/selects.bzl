"""The one function that Abseil loads: a condition that holds when any of several does."""

def _config_setting_group(name, match_any, visibility = None):
    # A chain of aliases, each asking one setting and else the next; the last alias stands for the last setting itself.
    rest = match_any[-1]
    for i in range(len(match_any) - 2, -1, -1):
        link = name if i == 0 else "{}_{}".format(name, i)
        native.alias(
            name = link,
            actual = select({
                match_any[i]: match_any[i],
                "//conditions:default": rest,
            }),
            visibility = visibility,
        )
        rest = ":" + link

selects = struct(config_setting_group = _config_setting_group)
