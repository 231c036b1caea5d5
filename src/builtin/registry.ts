/** The workflows that come with the action, by the name that `workflow:` and `validate:` call them. */
export const builtIns: Readonly<Record<string, string>> = {};
