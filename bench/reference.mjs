/** What an action with the two libraries that every action with a cache has cannot do without. */
import * as cache from '@actions/cache';
import * as core from '@actions/core';

core.info(`cache: ${cache.isFeatureAvailable()}`);
