const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID, the form of session ids in most CLIs. */
export function isUuid(text: string): boolean {
  return shape.test(text);
}
