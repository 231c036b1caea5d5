const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The form of session id that most CLIs have. */
export function isUuid(text: string): boolean {
  return shape.test(text);
}
