# SPDX-License-Identifier: MIT
# Read apt's sources, in either format, and print those of suite `from` and its security suite,
# as deb822 sources of suite `to`: the same mirrors, keys and options. Third parties' archives are
# skipped, because only a suite of exactly this name and the component main match.

function next_suites(list,    words, count, i, result)
{
        count = split(list, words, " ")
        for (i = 1; i <= count; i++)
                if (words[i] == from || words[i] == from "-security")
                        result = result " " to substr(words[i], length(from) + 1)
        return result
}

function end_stanza()
{
        if (types ~ /(^| )deb( |$)/ && suites != "" && (" " components " ") ~ / main / && enabled)
                printf "Types: deb\nSuites:%s\nComponents: main\n%s\n", suites, rest
        types = suites = components = rest = ""
        enabled = 1
        field = ""
}

# One-line format: deb [option=value ...] URI suite component...
function one_line(line,    options, words, count, i, list, pair)
{
        sub(/#.*/, "", line)
        options = ""
        if (match(line, /\[[^]]*\]/)) {
                options = substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
        }
        count = split(line, words, " ")
        if (words[1] != "deb")
                return
        types = "deb"
        rest = "URIs: " words[2] "\n"
        suites = next_suites(words[3])
        for (i = 4; i <= count; i++)
                components = components " " words[i]
        count = split(options, list, " ")
        for (i = 1; i <= count; i++) {
                split(list[i], pair, "=")
                if (pair[1] == "signed-by")
                        rest = rest "Signed-By: " pair[2] "\n"
        }
        end_stanza()
}

BEGIN { enabled = 1 }
FNR == 1 { end_stanza() }
FILENAME ~ /\.list$/ { one_line($0); next }
/^#/ { next }
/^[ \t]*$/ { end_stanza(); next }
/^[ \t]/ { if (field == "other") rest = rest $0 "\n"; next }
{
        name = tolower($1)
        value = $0
        sub(/^[^:]*:[ \t]*/, "", value)
        field = "ours"
        if (name == "types:")
                types = value
        else if (name == "suites:")
                suites = next_suites(value)
        else if (name == "components:")
                components = value
        else if (name == "enabled:")
                enabled = tolower(value) !~ /^(no|false|0|off|disable)/
        else {
                field = "other"
                rest = rest $0 "\n"
        }
}
END { end_stanza() }
