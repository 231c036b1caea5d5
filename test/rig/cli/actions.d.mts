export function performAction(act: object, agent: object): Promise<boolean>;
