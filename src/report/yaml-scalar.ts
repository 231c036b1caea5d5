/** The start of an expression of GitHub. */
const start = ['$', '{{'].join('');

/** A text as the value of an input in a workflow file of GitHub, so that it can be pasted as it is printed. */
export function yamlScalar(text: string): string {
  const isPlain = /^[A-Za-z_][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  if (isPlain) return text;
  // GitHub evaluates expressions also within quotes.
  const literal = text.replaceAll(start, `${start} '${start}' }}`);
  return /[\n\r\t]/.test(text) ? JSON.stringify(literal) : `'${literal.replaceAll("'", "''")}'`;
}
