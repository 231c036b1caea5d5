/**
 * The `compile` gate of a Python project: parses every Python file that git tracks or would add. Unlike
 * `py_compile` it writes no `__pycache__`, and unlike `compileall` it does not read virtual environments.
 */

// Must not contain a single quote: the text is one word of a shell command.
const source = `
import os, subprocess, sys
listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py"]
names = subprocess.run(listing, stdout=subprocess.PIPE, check=True).stdout.split(b"\\0")
errors = 0
for name in sorted({os.fsdecode(name) for name in names if name}):
    if not os.path.isfile(name):
        continue
    try:
        with open(name, "rb") as file:
            compile(file.read(), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        errors += 1
        print("%s:%s: %s" % (name, getattr(error, "lineno", None) or 1, error))
sys.exit(1 if errors else 0)
`;

/** The shell command; `python` is the name of the interpreter. */
export function pythonSyntaxCheck(python: string): string {
  return `${python} -c '${source}'`;
}
