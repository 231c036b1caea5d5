/** `npm run schema`: writes `schema/workflow.json` from `src/workflow/syntax.ts`. */
import { writeFileSync } from 'node:fs';
import './typescript.mjs';

const { workflowSchema } = await import('./schema/workflow-schema.ts');
const text = JSON.stringify(workflowSchema(), null, 2);
writeFileSync(new URL('../schema/workflow.json', import.meta.url), `${text}\n`);
