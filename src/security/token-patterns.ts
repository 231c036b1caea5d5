/**
 * The forms of tokens that a service marks by a fixed prefix. A value with such a token is a secret whatever its
 * variable is called. The list holds well-known services and is not complete. The minimum lengths are below those that
 * are in use, so that a new length still matches.
 */

/** Prefix and the characters that follow. A prefix that is common in other words needs a long or exact rest. */
const forms: readonly string[] = [
  // Code hosting
  'gh[opusr]_\\w{20,}',
  'github_pat_\\w{20,}',
  'gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[\\w-]{16,}',
  'AT(?:ATT3|BB|CTT3)[\\w=-]{20,}',
  // Models
  'sk-(?=(?:\\w*-){0,8}\\w{16,})[\\w-]{20,}',
  'AIza[\\w-]{30,}',
  'hf_[A-Za-z]{30,}',
  'gsk_\\w{30,}',
  'xai-\\w{30,}',
  'pplx-\\w{30,}',
  'r8_\\w{30,}',
  // Clouds
  'A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}',
  'ya29\\.[\\w-]{20,}',
  'GOCSPX-[\\w-]{20,}',
  'do[opr]_v1_[a-f0-9]{40,}',
  'dapi[a-f0-9]{32}',
  'hv[sbr]\\.[\\w-]{20,}',
  'pul-[a-f0-9]{40}',
  'tskey-[\\w-]{16,}',
  'dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{20,}',
  '[\\w-]{14}\\.atlasv1\\.[\\w-]{20,}',
  'AGE-SECRET-KEY-1\\w{20,}',
  'ops_eyJ[\\w-]{20,}',
  // Package registries
  'npm_[A-Za-z0-9]{20,}',
  'pypi-[\\w-]{40,}',
  'rubygems_[a-f0-9]{40,}',
  'dckr_[po]at_[\\w-]{20,}',
  'oy2[a-z0-9]{43}',
  // Services
  'xox[abeoprs]-[\\w-]{10,}',
  'xapp-[\\w-]{20,}',
  '(?:sk|rk)_(?:live|test)_\\w{16,}',
  'whsec_[\\w+/=]{20,}',
  'SG\\.[\\w-]{16,}\\.[\\w-]{16,}',
  'sntry[su]_[\\w+/=-]{20,}',
  'gl(?:sa|c)_[\\w+/=]{20,}',
  'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
  'lin_api_\\w{20,}',
  'ntn_\\w{20,}',
  'PMAK-[a-f0-9-]{30,}',
  'NRAK-\\w{20,}',
  'nfp_\\w{30,}',
  'sbp_[a-f0-9]{30,}',
  'CCIPAT_\\w{20,}',
  '\\d{8,10}:AA[\\w-]{30,}',
  // A JSON web token, or an encrypted one
  'eyJ[\\w-]{8,4000}\\.[\\w-]{8,}(?:\\.[\\w-]*){1,3}',
];

/** Every token in a text. Stateful, as a global pattern: use it with `matchAll` only. */
export const tokenPattern = new RegExp(`(?<![A-Za-z0-9_])(?:${forms.join('|')})`, 'g');

/** The part after the host of the addresses of webhooks. Everybody who knows one can post to it. */
export const webhookPattern =
  /(?<=hooks\.slack\.com)\/\w+\/\S+|(?<=discord(?:app)?\.com)\/api\/webhooks\/\S+|(?<=webhook\.office\.com)\/\w+\/\S+/g;
