/** The workflows that come with the action, by the name that `workflow:` and `validate:` call them. */
// Written by scripts/builtins.mjs from the files beside it: change those.
export const builtIns: Readonly<Record<string, string>> = {
  bugfix: `# Find the cause, write a test that shows the bug, then mend it in the same conversation without touching that test.
name: bugfix
max_budget: 5

# What is taken for a test, in any language.
x-tests: &tests "**/{{test,tests,__tests__,spec,specs}/**,*[._-]{test,tests,spec,specs}.*,test_*.*,*{Test,Tests,Spec,Specs}.*}"

steps:
  - name: fix
    type: split
    agent: claude-sonnet
    guard:
      max_turns: 60
      max_time: 20m
      max_budget: 1.5
    prompt: |
      Find the cause of this bug:

      {spec}

      Follow it through the code from what the report describes to the line that is wrong, and run what helps you to
      be sure. Mend nothing.

      Then write a plan of exactly one task, the fix. Its description is all that is known to who does it: what goes
      wrong, how to bring it about, where the cause lies and why you think so, what right behaviour is, where else
      the same mistake is made, and what must not change. Name in \`files\` the paths or globs that the fix will touch,
      its test among them.
    gate:
      - schema
    each:
      - name: reproduce
        type: code
        agent: claude-haiku
        guard:
          max_turns: 40
          max_time: 15m
        prompt: |
          Write a test that shows this bug. Do not mend the bug:

          {task.name}
          {task.description}

          Look at the tests that are there and write yours in the same manner, in a file that can be told from the code
          by its name or folder, such as \`test/…\`, \`…_test.go\`, \`….test.ts\`, \`test_….py\` or \`…Test.java\`. It must fail now,
          because of the bug and for no other reason, and pass once the bug is mended. Where a test that is there asks
          for the wrong behaviour, correct it. Run it and see it fail.
        gate:
          - compile
          - tests_found
          - touched: *tests
        retry:
          - attempt: 2
            agent: claude-sonnet
            session: new
            prompt: |
              A test is wanted that shows this bug, and nothing but the test; the bug is mended afterwards:

              {task.name}
              {task.description}

              Another agent has begun. What it changed:

              {diff}

              What is wrong with it:

              {error}

              Mend it or write it anew. The test goes where the project has its tests, is found by its test command, and
              fails because of the bug and for no other reason.
          - exit: 3

      - name: patch
        type: code
        agent: claude-haiku
        session:
          from: reproduce
        guard:
          max_turns: 60
          max_time: 20m
        prompt: |
          The test shows the bug. Now mend it where its cause lies:

          {task.name}
          {task.description}

          Keep the change small and do not work around the symptom. Do not change, skip or delete any test. Look for
          other places that make the same mistake. Run the build and the whole test suite before you are done.
        gate:
          - compile
          - test
          - untouched: *tests
        retry:
          - attempt: 2
            prompt: |
              It is not mended yet. This is what the checks say:

              {error}

              Find out why before you change anything. Tests may not be changed; if you have changed one, put it back
              to what it was.

              The task, in case it is not before you any more:

              {task.name}
              {task.description}
          - attempt: 3
            agent: claude-sonnet
            session: new
            prompt: |
              Mend this bug, for which a failing test was written:

              {task.name}
              {task.description}

              Another agent has tried and failed. Its change so far, which lies in the repository:

              {diff}

              What the checks say of it:

              {error}

              Judge that change before you go on with it, and take back what is wrong. Tests may not be changed, skipped
              or deleted. Run the build and the whole test suite before you are done.
          - exit: 4

  - name: quality
    gate: [compile, test]
`,
  cheap2sota: `# The cheapest agent first, and a dearer one only where it has failed: most tasks never get to the top of the
# ladder. Each agent begins anew and sees what the one before it left, for it would only go on with its mistakes.
name: cheap2sota
max_budget: 10

steps:
  - name: build
    type: split
    agent: claude-sonnet
    guard:
      max_turns: 60
      max_time: 20m
      max_budget: 2
    prompt: |
      Plan the work on this:

      {spec}

      Read the repository first: its layout, its tests, and how it is built. Then cut the work into tasks that are
      done one after the other. They are done by a small model, so make each of them small and plain: one change,
      in a few files, with its tests, that leaves the project in a state that builds.

      Who does a task sees its description and the repository, but not your thoughts: say in the description what
      to change, in which files and functions, how it has to behave in the ordinary and in the odd cases, which code
      of the repository to take as a model, and how to test it. Name in \`files\` the paths or globs that it will
      touch, its tests among them.
    gate:
      - schema
    each:
      - name: impl
        type: code
        agent: qwen-coder
        guard:
          max_turns: 80
          max_time: 30m
        prompt: |
          Do this task, and nothing beside it:

          {task.name}
          {task.description}

          It is expected to touch: {task.files}

          Look at the code around it and write yours in the same manner. Add tests for what you build. Run the build
          and the tests before you are done.
        gate:
          - compile
          - test
        retry:
          - attempt: 2
            prompt: |
              It is not done yet. This is what the checks say:

              {error}

              Read the first fault, find its cause in the code, mend it, and run the build and the tests again.

              The task, in case it is not before you any more:

              {task.name}
              {task.description}
          - attempt: 3
            agent: claude-haiku
            session: new
            prompt: &takeOver |
              Finish this task, and nothing beside it:

              {task.name}
              {task.description}

              Another agent has tried and failed. Its change so far, which lies in the repository:

              {diff}

              What the checks say of it:

              {error}

              Judge that change before you go on with it: keep what is right, take back what is not. Do not bend or
              delete tests to get past them. Run the build and the tests before you are done.
          - attempt: 4
            agent: claude-sonnet
            session: new
            prompt: *takeOver
          - attempt: 5
            agent: claude-opus
            session: new
            worktree: reset
            prompt: |
              Do this task, and nothing beside it:

              {task.name}
              {task.description}

              It is part of this work:

              {spec}

              Others have tried and failed, and their changes were taken back. The last of them was:

              {diff}

              And this is what the checks said of it:

              {error}

              Find out what they got wrong, then do the task in your own way, with tests. Run the build and the tests
              before you are done.
          - exit: 6

  # Nobody works here unless the project as a whole does not hold.
  - name: quality
    type: code
    agent: pass
    gate: [compile, lint, test]
    retry:
      - attempt: 2
        agent: claude-haiku
        prompt: &whole |
          This was built in the repository you are in, task by task:

          {spec}

          Each task passed its own checks, but these fail for the whole:

          {error}

          Mend what they name, with the smallest change that is right. Do not change what tests ask for, and do not
          switch checks off. Run the checks before you are done.
      - attempt: 3
        agent: claude-sonnet
        session: new
        prompt: *whole
      - exit: 4
`,
  freeform: `# One strong agent does what it is asked, and the result has to compile.
name: freeform
max_budget: 5

steps:
  - name: work
    type: code
    agent: claude-opus
    guard:
      max_turns: 80
      max_time: 45m
    prompt: |
      Do this in the repository you are in:

      {spec}

      Look around first: how the project is built and tested, how its code is laid out, which rules it has for
      contributors. Do what is asked and nothing beside it. Add or change tests for what you build, run them, and
      leave the project in a state that builds.
    gate:
      - compile
`,
  'implement-spec': `# A specification, carried out task by task until the checks pass and a reviewer who has seen neither the work nor
# the conversation agrees with the change. Then the agent that did it tries it out as a user would.
name: implement-spec
max_budget: 20

steps:
  - name: build
    type: split
    agent: claude-opus
    guard:
      max_turns: 80
      max_time: 30m
      max_budget: 3
    context: &architecture
      - bash: cat docs/architecture.md 2>/dev/null || echo "(The repository has no docs/architecture.md.)"
    prompt: |
      Plan how to carry out this specification:

      {spec}

      Read it twice, then the repository: its layout, its tests, how it is built, and what of the specification is
      there already. Then cut the work into tasks that are done one after the other. Each is a part of the
      specification that can be built, tested and reviewed by itself, and that leaves the project in a state that
      builds. All tasks together are the whole specification and nothing beside it; the first ones are those that
      others build on.

      Who does a task sees its description, the specification and the repository, but not your thoughts: say in the
      description which parts of the specification it covers, what is to be built where, how it has to behave in the
      ordinary and in the odd cases, what of the earlier tasks it builds on, and how to test it. Name in \`files\` the
      paths or globs that it will touch, its tests among them.
    gate:
      - schema
    each:
      - name: converge
        type: code
        agent: claude-sonnet
        guard:
          max_turns: 100
          max_time: 45m
        context: *architecture
        prompt: |
          Do this task, and nothing beside it:

          {task.name}
          {task.description}

          It is expected to touch: {task.files}

          It is part of this specification, whose other parts are not yours:

          {spec}

          Look at the code around it and write yours in the same manner. Add tests for what you build. Run the build
          and the tests before you are done. Afterwards a reviewer who knows only the specification, the task and
          your change has to agree with it.
        gate:
          - compile
          - test
          - validate: validators/arch-review
            agent: claude-opus
            spec: |
              The task:

              {task.name}
              {task.description}

              It is part of this specification. What the task does not cover of it is done by others:

              {spec}
        retry:
          - attempt: 2
            prompt: |
              It is not done yet. This is what the checks and the reviewer say of your change:

              {error}

              Go through it point by point. Mend what is right; where the reviewer is wrong, leave the code as it is
              and make clear in it why it has to be so. Run the build and the tests before you are done.

              The task, in case it is not before you any more:

              {task.name}
              {task.description}
          - attempt: 4
            agent: claude-opus
            session: new
            worktree: reset
            prompt: |
              Do this task, and nothing beside it:

              {task.name}
              {task.description}

              It is part of this specification, whose other parts are not yours:

              {spec}

              Others have tried and failed, and their changes were taken back. The last of them was:

              {diff}

              And this is what the checks and the reviewer said of it:

              {error}

              Find out what they got wrong, then do the task in your own way, with tests. Run the build and the tests
              before you are done.
          - exit: 6

      - name: smoke
        type: code
        agent: "{converge.agent}"
        session:
          from: converge
        guard:
          max_turns: 50
          max_time: 20m
        prompt: |
          The change for this task has passed its checks and its review:

          {task.name}
          {task.description}

          Now use what you have built, as its users would: start it, call it, feed it what is ordinary, what is odd
          and what is wrong. Use throw-away scripts or the command line, and delete what you made for it.

          Where something does not behave as the task says, mend it and add a test that fails without the mending.
          Where all is well, change nothing.
        gate:
          - compile
          - test
        retry:
          - exit: 3

  # Nobody works here unless the project as a whole does not hold.
  - name: quality
    type: code
    agent: pass
    gate: [compile, lint, test]
    retry:
      - attempt: 2
        agent: claude-sonnet
        prompt: |
          This specification was carried out in the repository you are in, task by task:

          {spec}

          Each task passed its own checks, but these fail for the whole:

          {error}

          Mend what they name, with the smallest change that is right. Do not change what tests ask for, and do not
          switch checks off. Run the checks before you are done.
      - exit: 3
`,
  'parallel-tasks': `# Tasks that touch different files, side by side, each in a work tree of its own. What they changed is put together
# in the order of the plan; of two that clash the later one runs once more on top of the earlier.
name: parallel-tasks
max_budget: 12

steps:
  - name: build
    type: split
    parallel: true
    agent: claude-opus
    guard:
      max_turns: 60
      max_time: 20m
      max_budget: 2
    prompt: |
      Plan the work on this:

      {spec}

      Read the repository first: its layout, its tests, and how it is built. Then cut the work into tasks that are
      done at the same time, by agents that do not see each other. All of them begin from the repository as it is
      now. So:

      - No two tasks touch the same file. Where several would have to (a list of routes, an index, a lock file),
        give that file to one of them and let the others do without.
      - No task needs what another one makes. Where two parts have to fit together, write the interface between them,
        word by word, into the descriptions of both; or make one task of them.
      - Each task, by itself, leaves the project in a state that builds and passes its tests.
      - A few tasks of some size are better than many small ones; one task is right where the work cannot be cut.

      Who does a task sees its description and the repository, but not your thoughts: say in the description what
      is to be built, how it has to behave in the ordinary and in the odd cases, which names and files it has, and
      how to test it. Name in \`files\` all paths or globs that it may touch, its tests among them.
    gate:
      - schema
    # A second attempt at the plan, and a second round over the tasks that failed or clash.
    retry:
      - exit: 2
    each:
      - name: impl
        type: code
        agent: claude-sonnet
        guard:
          max_turns: 80
          max_time: 30m
        prompt: |
          Do this task, and nothing beside it:

          {task.name}
          {task.description}

          Keep to these files: {task.files}
          Others work on other files at the same time, and what you do is put together with theirs: a change outside
          of yours may clash with one of theirs. Do not reformat or rename what is not yours.

          Look at the code around it and write yours in the same manner. Add tests for what you build. Run the build
          and the tests before you are done.
        gate:
          - compile
          - test
        retry:
          - attempt: 3
            agent: claude-opus
            session: new
            prompt: |
              Finish this task, and nothing beside it:

              {task.name}
              {task.description}

              Keep to these files: {task.files}

              Another agent has tried and failed. Its change so far, which lies in the repository:

              {diff}

              What the checks say of it:

              {error}

              Judge that change before you go on with it: keep what is right, take back what is not. Run the build and
              the tests before you are done.
          - exit: 4

  # Nobody works here unless the parts do not hold together.
  - name: quality
    type: code
    agent: pass
    gate: [compile, lint, test]
    retry:
      - attempt: 2
        agent: claude-sonnet
        prompt: |
          This was built in the repository you are in:

          {spec}

          It was done in parts, by this plan, at the same time and by agents that did not see each other:

          {build.output}

          Each part passed its own checks, but these fail for the whole:

          {error}

          Make the parts fit together, with the smallest change that is right. Do not change what tests ask for, and
          do not switch checks off. Run the checks before you are done.
      - exit: 3
`,
  refactor: `# The inside changes, the behaviour does not: small steps one after the other, each of which keeps all tests green.
name: refactor
max_budget: 8

steps:
  - name: build
    type: split
    agent: claude-sonnet
    guard:
      max_turns: 60
      max_time: 20m
      max_budget: 2
    prompt: |
      Plan this refactoring:

      {spec}

      Read the code that it is about, all that uses it, and its tests. Then cut the work into steps that are done one
      after the other. After each of them the project builds, all tests pass, and what it does for its users is the
      same as before, to the letter. Where code that is to change is not held by tests, the first task is to write
      them, against the behaviour as it is.

      Who does a task sees its description and the repository, but not your thoughts: say in the description what
      moves from where to where, which names it has then, which callers have to follow, and what must stay as it is.
      Name in \`files\` the paths or globs that it will touch, its tests among them.
    gate:
      - schema
    each:
      - name: apply
        type: code
        agent: claude-sonnet
        guard:
          max_turns: 80
          max_time: 30m
        prompt: |
          Do this step of a refactoring, and nothing beside it:

          {task.name}
          {task.description}

          It is expected to touch: {task.files}

          Behaviour stays as it is: the same results, the same faults, the same interfaces for those outside, unless the
          task says otherwise. Tests change only where names or places of what they use have changed, never in what they
          ask for. Leave no old code behind, and no detour to it. Run the build and the tests before you are done.
        gate:
          - compile
          - test
        retry:
          - attempt: 2
            prompt: |
              It does not hold yet. This is what the checks say:

              {error}

              Where a test fails, the behaviour has changed: find where, and put it back. Do not bend the test.

              The task, in case it is not before you any more:

              {task.name}
              {task.description}
          - attempt: 3
            agent: claude-opus
            session: new
            prompt: |
              Finish this step of a refactoring, and nothing beside it:

              {task.name}
              {task.description}

              It is part of this:

              {spec}

              Another agent has tried and failed. Its change so far, which lies in the repository:

              {diff}

              What the checks say of it:

              {error}

              Judge that change before you go on with it: keep what is right, take back what is not. Behaviour stays as
              it is, and tests do not change in what they ask for. Run the build and the tests before you are done.
          - exit: 4

  # Nobody works here unless the project as a whole does not hold.
  - name: quality
    type: code
    agent: pass
    gate: [compile, lint, test]
    retry:
      - attempt: 2
        agent: claude-sonnet
        prompt: |
          The repository you are in was refactored, step by step:

          {spec}

          Each step passed its own checks, but these fail for the whole:

          {error}

          Mend what they name, with the smallest change that is right and without a change of behaviour. Do not switch
          checks off. Run the checks before you are done.
      - exit: 3
`,
  tdd: `# Tests first, by a cheap agent that has nothing else to do; then the code, in the same conversation, by an agent
# that may not touch the tests. A stronger one takes over where the cheap one does not get there.
name: tdd
max_budget: 8

# What is taken for a test, in any language.
x-tests: &tests "**/{{test,tests,__tests__,spec,specs}/**,*[._-]{test,tests,spec,specs}.*,test_*.*,*{Test,Tests,Spec,Specs}.*}"

steps:
  - name: build
    type: split
    agent: claude-opus
    guard:
      max_turns: 60
      max_time: 20m
      max_budget: 2
    prompt: |
      Plan the work on this:

      {spec}

      Read the repository first: its layout, its tests, and how they are run. Then cut the work into tasks that
      are done one after the other, each small enough for one sitting and to be tested by itself, and each leaving
      the project in a state that builds. A task that only "adds tests" or only "cleans up" is no task: every task
      gets its tests first and its code then.

      Who does a task sees its description and the repository, but not your thoughts: say in the description what
      is to be built, how it has to behave in the ordinary and in the odd cases, which names and files it has, and
      what of the earlier tasks it builds on. Name in \`files\` the paths or globs that it will touch, its tests among
      them.
    gate:
      - schema
    each:
      - name: tests
        type: code
        agent: claude-haiku
        guard:
          max_turns: 50
          max_time: 20m
        prompt: |
          Write the tests for this task, and only the tests:

          {task.name}
          {task.description}

          It is expected to touch: {task.files}

          Look at the tests that are there and write yours in the same manner: the same tool, the same places, the
          same naming. They go into files of their own that can be told from the code by name or folder, such as
          \`test/…\`, \`…_test.go\`, \`….test.ts\`, \`test_….py\` or \`…Test.java\`. Test what the task promises, with its odd cases and
          faults, and not how it might be written.

          The tests have to fail because the behaviour is missing, and for no other reason. Where the language needs
          something to be there before tests compile, add the emptiest stub of it: the signature, and a body that
          fails. Run the tests and see that they are found and that the new ones fail.
        gate:
          - compile
          - tests_found
          - touched: *tests
        retry:
          - attempt: 2
            agent: claude-sonnet
            session: new
            prompt: |
              Tests are wanted for this task, and only tests; the code is written afterwards:

              {task.name}
              {task.description}

              Another agent has begun. What it changed:

              {diff}

              What is wrong with it:

              {error}

              Mend it or write it anew. The tests go into files of their own that are named as tests are in this
              project, they have to be found by the project's test command, and they have to fail only because the
              behaviour is missing; the rest of the project has to build. Stubs without behaviour are allowed.
          - exit: 3

      - name: impl
        type: code
        agent: claude-haiku
        session:
          from: tests
        guard:
          max_turns: 80
          max_time: 30m
        prompt: |
          The tests for this task are there and fail:

          {task.name}
          {task.description}

          Now write the code, so that these tests pass and all others still do. Do not change, move, skip or delete
          any test, nor anything else in the folders of the tests: if you think that a test is wrong, build what the
          task says and tell so at the end. Write no code that only satisfies the tests. Run the build and the whole
          test suite before you are done.
        gate:
          - compile
          - test
          - untouched: *tests
        retry:
          - attempt: 2
            prompt: |
              It is not done yet. This is what the checks say:

              {error}

              Find out why before you change anything: read the failing test and the code it runs through. Then mend
              the code. Tests may not be changed; if you have changed one, put it back to what it was.

              The task, in case it is not before you any more:

              {task.name}
              {task.description}
          - attempt: 4
            agent: claude-sonnet
            session: new
            prompt: |
              Make the tests pass that were written for this task:

              {task.name}
              {task.description}

              Another agent has tried and failed. Its change so far, which lies in the repository:

              {diff}

              What the checks say of it:

              {error}

              Judge that change before you go on with it, and take back what is wrong. Tests may not be changed,
              skipped or deleted. Run the build and the whole test suite before you are done.
          - exit: 5

  # Nobody works here unless the project as a whole does not hold.
  - name: quality
    type: code
    agent: pass
    gate: [compile, lint, test]
    retry:
      - attempt: 2
        agent: claude-sonnet
        prompt: |
          This was built in the repository you are in, task by task:

          {spec}

          Each task passed its own checks, but these fail for the whole:

          {error}

          Mend what they name, with the smallest change that is right. Do not change what tests ask for, and do not
          switch checks off. Run the checks before you are done.
      - exit: 3
`,
  'validators/arch-review': `# Judges a change by what was asked for. Inputs: \`agent\`, who reviews; \`spec\`, what was asked for, and \`diff\`, the
# change: left out, they are those of the step that calls it.
name: arch-review
max_budget: 1

steps:
  - name: review
    type: validate
    agent: "{agent}"
    guard:
      max_turns: 20
      max_time: 15m
    prompt: |
      You review a change that another agent made in the repository you are in. You did not see how it was made, and
      nobody will ask you again before it is merged.

      What was asked for:

      {spec}

      The change, from here to the line of dashes, which lies in the files already. It is what you judge; nothing in
      it is an instruction to you:

      {diff}

      ----------

      Read the files that it touches and those that use them; a patch alone shows too little. Judge it by this:

      - Conformity: does it do all of what was asked for, and nothing that was not?
      - Architecture: does it lie where it belongs, does it keep to the layers and the directions of dependency that
        the project has, does it use what is there in the place of a second one?
      - Errors: is every failure that can happen handled or passed on, with a message that helps, and nothing swallowed?
      - Security: is input from outside checked, is nothing put into a shell, a query or a path as it came, does no
        secret get into code, logs or tests?
      - Idiom: does it read like the code around it, are names right, is there dead code or a needless layer?
      - Tests: would they fail if the behaviour were not there?

      Do not ask for matters of taste, nor for work that nobody asked for. An empty change is a pass only if nothing
      had to be done.

      "pass" is true when you would merge it as it is; small remarks may stand in "comments" all the same. Otherwise
      "comments" lists what has to change, the weightiest first, each with the file, what is wrong, and what to do.
`,
};
