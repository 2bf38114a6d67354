"""What the documents name is there: commands and their options, linked files, targets of make."""

import re

from commands import commands_in, words_of
from tree import DOCUMENTS, ROOT, place, report, text
from typer.main import get_command

from engine.cli.main import app


def test_every_command_in_a_document_is_one_of_ours():
    commands, wrong = get_command(app).commands, []
    for path in DOCUMENTS:
        for line in commands_in(path):
            name, *words = words_of(line)
            if name.startswith("-"):
                continue
            options = {"--help", "-h"}
            if name in commands:
                options |= {option for parameter in commands[name].params for option in parameter.opts}
            given = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
            if name not in commands or not given <= options:
                wrong.append(f"{place(path)}: {line} ({', '.join(given - options) or name})")
    report(wrong)


def test_every_link_between_documents_leads_somewhere():
    wrong = [
        f"{place(path)}: {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(path))
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    report(wrong)


def test_every_heading_that_a_link_names_is_there():
    def anchors(path):
        headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text(path), flags=re.M | re.S), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}

    wrong = [
        f"{place(path)}: {target}#{anchor}"
        for path in DOCUMENTS
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text(path))
        if not re.match(r"[a-z]+:", target) and anchor not in anchors((path.parent / target) if target else path)
    ]
    report(wrong)


def test_every_file_of_ours_that_a_document_names_is_there():
    folders = r"(?:engine|wgsl|scenes|tests|tools|benchmarks|examples)"
    wrong = [
        f"{place(path)}: {name}"
        for path in DOCUMENTS
        if path.name != "CHANGELOG.md"
        for name in re.findall(rf"`({folders}/[\w/.]*)`", text(path))
        # x stands for a name of the reader's.
        if not re.search(r"(^|[/_])x([./]|$)", name) and not (ROOT / name).exists()
    ]
    report(wrong)


def test_every_make_target_in_a_document_is_in_the_makefile():
    targets = set(re.findall(r"^([\w-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    wrong = {}
    for path in DOCUMENTS:
        spans = "\n".join(re.findall(r"`([^`]*)`", text(path)))
        if missing := set(re.findall(r"(?<![\w.-])make ([a-z][\w-]*)", spans)) - targets:
            wrong[place(path)] = missing
    report(wrong)
