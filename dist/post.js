/**
 * The file that the runner starts after the job. Its name alone marks it as `post`: state that `main` saves for it
 * is missing if `main` was killed early, and then `post` must not start the workflow.
 */
import './index.js';
