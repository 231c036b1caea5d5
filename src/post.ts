/**
 * What the runner starts after the job. It is told from `main` by its name, because what `main` saves for it is
 * not there when `main` was ended before it could save anything, and the workflow must not begin then.
 */
import './index.js';
