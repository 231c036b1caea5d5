/** Finds tokens in the configuration of git. Pure. */
import { secretsIn } from './secret-values.js';

/** A setting of git and the file that contains it. */
export interface NamedSetting {
  readonly name: string;
  readonly value: string;
  readonly file: string;
}

/**
 * The first setting with a token or password: a header, or an address in a value or in the name of a setting, as in
 * `url.https://TOKEN@github.com/.insteadOf`. `undefined` if there is none.
 */
export function findTokenSetting(settings: readonly NamedSetting[]): NamedSetting | undefined {
  return settings.find(({ name, value }) => secretsIn(value).length > 0 || secretsIn(name).length > 0);
}

/** The warning about this setting. The name of a setting can contain the token, so only its ends are shown. */
export function tokenSettingWarning({ name, file }: NamedSetting): string {
  const shown = secretsIn(name).length === 0 ? name : name.replace(/^([^.]*)\..*\.([^.]*)$/s, '$1.….$2');
  return (
    `The git configuration of the checkout holds a token (\`${shown}\` in \`${file}\`). ` +
    'Agents and gates can read it and push with it. Set `persist-credentials: false` for `actions/checkout`.'
  );
}
