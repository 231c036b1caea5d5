/** The minimum of an action that uses `@actions/core` and `@actions/cache`, as the base of the comparison. */
import * as cache from '@actions/cache';
import * as core from '@actions/core';

core.info(`cache: ${cache.isFeatureAvailable()}`);
