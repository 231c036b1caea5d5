/** Recognises test files by their names, for runners whose output format is unknown. Pure. */

const testNamePatterns: readonly RegExp[] = [
  /[._-](?:test|tests|spec|specs|e2e|cy)\.\w+$/i, // a.test.ts, a_test.go, a-spec.js
  /(?:Test|Tests|TestCase|Spec|Specs)\.\w+$/, // ATest.java, ASpec.scala
  /[a-z\d]IT\.(?:java|kt|scala|groovy)$/, // StoreIT.java, by Maven's failsafe
  /^(?:test|spec)[_-].+\.\w+$/i, // test_a.py
  /^Test[A-Z]\w*\.\w+$/, // TestA.java
  /^tests?\.\w+$/i, // test.js
  /\.(?:bats|feature|t)$/,
];

const testFolderPattern = /(?:^|\/)(?:tests?|__tests__|specs?|e2e)\//i;
/** Files next to tests that are no tests. */
const dataFilePattern =
  /\.(?:json|jsonl|md|txt|ya?ml|toml|xml|csv|snap|lock|html?|css|svg|png|jpe?g|gif|golden|out)$/i;
const supportFilePattern = /^(?:__init__|conftest|setup|helpers?|.*[_-]helpers?|fixtures?|mod)\.\w+$/i;

export function isTestFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (dataFilePattern.test(name) || supportFilePattern.test(name)) return false;
  return (
    testNamePatterns.some((pattern) => pattern.test(name)) ||
    (testFolderPattern.test(path) && /\.\w+$/.test(name))
  );
}
