/**
 * How compilers, linters and test runners name places in files. Data only; `read-places.ts` uses it. Every pattern
 * matches one line without colours, and takes a time that grows with the length of the line only: no part of it can
 * match the same text in two ways. test/fixtures/gate-output has an output of each tool.
 */

/** Groups: `file`, `line`, `endLine`, `column`, `severity`, `message`, `code`. */
export interface PlacePattern {
  readonly tools: string;
  readonly pattern: RegExp;
  /** The message is in another line: the newest one before this line, or the next one. */
  readonly message?: 'before' | 'after';
  /** The file is in a line before. */
  readonly file?: 'before';
  /** Of several lines for one problem (the frames of a stack), only the first counts. */
  readonly isFrame?: true;
}

const file = String.raw`(?<file>(?:[A-Za-z]:)?[^\s:"'<>|(][^:"'<>|()]{0,500})`;
const at = String.raw`:(?<line>\d{1,7})(?::(?<column>\d{1,7}))?`;

/** The first pattern that matches a line counts. */
export const placePatterns: readonly PlacePattern[] = [
  {
    // Biome, Ruff, vitest, PHPStan, RuboCop and others with their reporter for GitHub.
    tools: 'workflow command',
    pattern: /^::(?<severity>error|warning|notice) (?<properties>[^:]{1,2000})::(?<message>.+)$/,
  },
  {
    tools: 'tsc, dotnet',
    pattern:
      /^\s*(?<file>[^\s(:][^(]{0,500})\((?<line>\d{1,7}),(?<column>\d{1,7})\): (?<severity>error|warning) (?<message>.+)$/,
  },
  {
    tools: 'tsc --pretty, pyright',
    pattern: new RegExp(String.raw`^\s*${file}${at} - (?<severity>error|warning)(?: |: )(?<message>.+)$`),
  },
  {
    tools: 'ESLint (stylish)',
    pattern: /^\s+(?<line>\d{1,7}):(?<column>\d{1,7}) +(?<severity>error|warning) +(?<message>\S.*)$/,
    file: 'before',
  },
  {
    tools: 'Maven',
    pattern:
      /^\[(?<severity>ERROR|WARNING)\] (?<file>[^\s:[][^:[]{0,500}):\[(?<line>\d{1,7})(?:,(?<column>\d{1,7}))?\] (?<message>.+)$/,
  },
  {
    tools: 'Maven (tests)',
    pattern:
      /^\[(?<severity>ERROR)\] +(?<javaClass>[A-Z]\w{0,200})\.\w{1,200}:(?<line>\d{1,7}) (?<message>.+)$/,
  },
  {
    tools: 'RSpec',
    pattern: /^rspec (?<file>\.\/[^\s:]{1,500}):(?<line>\d{1,7}) # (?<message>.+)$/,
  },
  {
    tools: 'pytest',
    pattern: /^(?<file>[^\s:][^:]{0,500}\.py):(?<line>\d{1,7}): (?<name>[\w.]{1,200})$/,
    message: 'before',
  },
  {
    tools: 'rustc, cargo, Ruff',
    pattern: /^\s*--> (?<file>[^\s:][^:]{0,500}):(?<line>\d{1,7}):(?<column>\d{1,7})$/,
    message: 'before',
    isFrame: true,
  },
  {
    tools: 'cargo test',
    pattern:
      /^thread '[^']{0,500}'(?: \(\d+\))? panicked at (?<file>[^\s:'][^:']{0,500}):(?<line>\d{1,7}):(?<column>\d{1,7}):$/,
    message: 'after',
  },
  {
    tools: 'Biome',
    pattern:
      /^(?<file>[^\s:][^:]{0,500}):(?<line>\d{1,7}):(?<column>\d{1,7}) (?<code>[a-z]{1,30}(?:\/\w{1,100}){0,4}) .{0,100}━+$/,
    message: 'after',
  },
  {
    tools: 'Vitest',
    pattern: /^ ❯ (?:[^\s:]{1,200} )?(?<file>[^\s:][^:]{0,500}):(?<line>\d{1,7}):(?<column>\d{1,7})$/,
    message: 'before',
    isFrame: true,
  },
  {
    tools: 'Jest',
    pattern:
      /^\s+at (?:[^()]{1,300} \()?(?:file:\/\/)?(?<file>[^\s:()][^:()]{0,500}):(?<line>\d{1,7}):(?<column>\d{1,7})\)?$/,
    message: 'before',
    isFrame: true,
  },
  {
    tools: 'dotnet test',
    pattern: /^\s+at .{1,500}\) in (?<file>[^\s:][^:]{0,500}):line (?<line>\d{1,7})$/,
    message: 'before',
    isFrame: true,
  },
  {
    tools: 'PHPUnit',
    pattern: /^(?<file>\/[^:]{1,500}\.php):(?<line>\d{1,7})$/,
    message: 'before',
    isFrame: true,
  },
  {
    tools: 'PHPStan',
    pattern: /^ {2}(?<line>\d{1,7}) {2,10}(?<message>\S.*)$/,
    file: 'before',
  },
  {
    tools: 'RuboCop',
    pattern: new RegExp(`^${file}${at}: (?<severity>[CRIWEF]): (?<message>.+)$`),
  },
  {
    tools: 'ESLint (unix)',
    pattern: new RegExp(
      String.raw`^${file}${at}: (?<message>.{1,1000} \[(?<severity>Error|Warning)(?:\/[^\]]{1,200})?\])$`,
    ),
  },
  {
    tools:
      'gcc, clang, javac, go build, go vet, go test, mypy, flake8, Ruff (concise), actionlint, ShellCheck (gcc)',
    pattern: new RegExp(
      String.raw`^\s*(?:vet: )?${file}${at}: (?:(?<severity>fatal error|error|warning|note|info|style): )?(?<message>\S.*)$`,
    ),
  },
];

/** Lines that name the file of the lines after them. */
export const fileHeadings: readonly RegExp[] = [
  /^(?<file>(?:\/|\.{0,2}[\w@-])[^:"'<>|]{0,500}\.\w{1,10})$/, // ESLint (stylish)
  /^ {2}Line {2,10}(?<file>\S{1,500}\.php)(?: \(.{0,300}\))?\s*$/, // PHPStan
];

/** Lines with the message of the place after them. */
export const messageHeadings: readonly RegExp[] = [
  /^(?<severity>error|warning)(?:\[\w{1,20}\])?: (?<message>.+)$/, // rustc
  /^(?<message>[A-Z]{1,6}\d{1,5} .+)$/, // Ruff
  /^E {2,7}(?<message>[A-Za-z].*)$/, // pytest
  /^(?<message>(?:[A-Z]\w{0,60})?Error: .+)$/, // Vitest
  /^ {2}● (?<message>.+)$/, // Jest
  /^\d{1,6}\) (?<message>[\w\\]{1,300}::\w.*)$/, // PHPUnit
  /^ {3}(?<message>(?:Assert\.\w{1,60}\(\) Failure|Expected).*)$/, // dotnet test (xUnit, NUnit)
];
