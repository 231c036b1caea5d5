/**
 * The `compile` gate of a Python project: every Python file that git knows or would add is parsed. Unlike
 * `py_compile` it leaves no `__pycache__` behind, unlike `compileall` it stays out of virtual environments.
 */

// No single quote may stand in here: the text is one word of a shell command.
const source = `
import os, subprocess, sys
listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py"]
names = subprocess.run(listing, stdout=subprocess.PIPE, check=True).stdout.split(b"\\0")
faults = 0
for name in sorted({os.fsdecode(name) for name in names if name}):
    if not os.path.isfile(name):
        continue
    try:
        with open(name, "rb") as file:
            compile(file.read(), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as fault:
        faults += 1
        print("%s:%s: %s" % (name, getattr(fault, "lineno", None) or 1, fault))
sys.exit(1 if faults else 0)
`;

/** The shell command; `python` is the name of the interpreter. */
export function pythonSyntaxCheck(python: string): string {
  return `${python} -c '${source}'`;
}
