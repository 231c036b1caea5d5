/** Runs before each test file. */
import { registerCleanUps } from './fakes/clean-ups.js';

registerCleanUps();
